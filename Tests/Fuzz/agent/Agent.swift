// SPDX-License-Identifier: Apache-2.0
import AgentProtocol

/// What either side of the agent's protocol may be sent: the first byte says which side reads, the rest is its stream.
/// No trap, no message above the bound, and what decodes reads the same when it is sent on.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAgent(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    // libFuzzer gives `byteCount` readable bytes at `data` until this returns.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: byteCount))
    guard let side = bytes.first else { return 0 }
    var reader = FrameReader()
    // In two pieces, so that frames are cut anywhere.
    let middle = bytes.count / 2 + 1
    for piece in [bytes[1..<max(middle, 1)], bytes[max(middle, 1)...]] {
        reader.append(piece)
        while let message = try? reader.next() {
            precondition(message.count <= Frame.limit, "a frame above the bound")
            check(message, side)
        }
        // A count above the bound ends the stream.
        if (try? reader.next()) == nil, reader.pendingByteCount > Frame.limit + 4 { return 0 }
    }
    return 0
}

private func check(_ message: [UInt8], _ side: UInt8) {
    switch side % 3 {
    case 0:
        guard let request = try? RequestMessage(decoding: message) else { return }
        // Fields of a later version are left out, so values are compared and not bytes.
        let again = (try? request.frame()).flatMap { try? RequestMessage(decoding: Array($0.dropFirst(4))) }
        precondition(again == request, "the request changed on the way")
    case 1:
        guard let answer = try? AnswerMessage(decoding: message) else { return }
        let again = (try? answer.frame()).flatMap { try? AnswerMessage(decoding: Array($0.dropFirst(4))) }
        precondition(again == answer, "the answer changed on the way")
    default:
        _ = try? StreamHandshake.token(decoding: message)
    }
}
