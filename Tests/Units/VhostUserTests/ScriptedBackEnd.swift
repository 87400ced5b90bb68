// SPDX-License-Identifier: Apache-2.0
import Linux
import VhostUser

/// A back-end that answers as one should, until it does what its script says.
final class ScriptedBackEnd {
    enum Fault: Sendable {
        /// It does not answer the request.
        case silent
        /// It hangs up instead.
        case gone
        /// It sends these bytes.
        case answers([UInt8])
    }

    /// The end for the front-end, once.
    let connection: BorrowedDescriptor
    private let own: FileDescriptor
    private var thread: Thread?

    /// - Parameters:
    ///   - fault: what it does instead of answering `request`, each time it comes.
    init(
        features: UInt64 = 1 << 32 | 1 << 30 | 1 << 29 | 1 << 28, queues: UInt64 = 2, request: UInt32, _ fault: Fault
    ) throws {
        let pair = try UnixSocket.pair()
        connection = try pair.first.duplicate().release()
        own = try pair.second.duplicate()
        let socket = own.borrowed
        let script = Script(features: features, queues: queues, request: request, fault: fault)
        thread = try Thread(named: "scripted") { script.play(on: socket) }
    }

    deinit { end() }

    /// It dies.
    func end() {
        try? UnixSocket.shutdownReading(own.borrowed)
        try? UnixSocket.shutdownWriting(own.borrowed)
        thread.take()?.join()
    }

    /// It says something nobody asked for.
    func speak(_ bytes: [UInt8]) { send(bytes, own.borrowed) }
}

private struct Script: Sendable {
    let features: UInt64
    let queues: UInt64
    let request: UInt32
    let fault: ScriptedBackEnd.Fault

    func play(on socket: BorrowedDescriptor) {
        while let header = read(12, socket) {
            let number = word(header, 0)
            guard read(Int(word(header, 8)), socket) != nil else { return }
            if number == request {
                switch fault {
                case .silent: continue
                case .gone:
                    try? UnixSocket.shutdownReading(socket)
                    try? UnixSocket.shutdownWriting(socket)
                    return
                case .answers(let bytes):
                    send(bytes, socket)
                    continue
                }
            }
            guard let answer = answer(number, asksForReply: word(header, 4) & 8 != 0) else { continue }
            send(RawClient.words(number, 5, UInt32(answer.count)) + answer, socket)
        }
    }

    private func answer(_ number: UInt32, asksForReply: Bool) -> [UInt8]? {
        switch number {
        case 1: RawClient.longs(features)
        // MQ and REPLY_ACK.
        case 15: RawClient.longs(1 | 1 << 3)
        case 17: RawClient.longs(queues)
        case 11: RawClient.words(0, 0)
        default: asksForReply ? RawClient.longs(0) : nil
        }
    }
}

private func send(_ bytes: [UInt8], _ socket: BorrowedDescriptor) { _ = try? Socket.send(bytes, from: 0, on: socket) }

private func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
}

/// Waits for so many bytes; descriptors that come along are let go of by the kernel.
private func read(_ byteCount: Int, _ socket: BorrowedDescriptor) -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < byteCount {
        _ = try? Poll.wait(socket, .readable, until: Deadline(after: .seconds(30)))
        guard let part = try? Socket.receive(upTo: byteCount - bytes.count, from: socket), !part.isEmpty else {
            return nil
        }
        bytes += part
    }
    return bytes
}
