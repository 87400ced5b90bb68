// SPDX-License-Identifier: Apache-2.0
import Handshake
import OCISpec
import TaskProtocol

/// Arguments, one a line, an empty line, and what stands on standard input: whatever they are, they are refused, or
/// come to an id and a namespace that are no paths, and an answer of the form that was asked for.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHandshake(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    // libFuzzer gives `byteCount` readable bytes at `data` until this returns.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: byteCount))
    var words: [String] = []
    var left = bytes[...]
    while let end = left.firstIndex(of: 0x0A) {
        let line = left[..<end]
        left = left[(end + 1)...]
        if line.isEmpty { break }
        words.append(String(decoding: line, as: UTF8.self))
    }
    let variables = words.filter { $0.contains("=") && !$0.hasPrefix("-") }
    let arguments = ["shim"] + words.filter { !variables.contains($0) }
    guard
        let invocation = try? Invocation(
            arguments: arguments, environment: ShimEnvironment(variables: variables)),
        invocation.action == .start || invocation.action == .serve || invocation.action == .delete
    else { return 0 }
    for name in [invocation.id, invocation.namespace] {
        precondition(!name.isEmpty && name.utf8.count <= 76 && !name.contains("/") && name != "." && name != "..")
    }
    _ = try? Spec.annotations(of: Array(left))
    guard let bootstrap = try? Bootstrap(Array(left), for: invocation) else { return 0 }
    let path = try? ShimSocket.path(
        containerd: invocation.containerdAddress, namespace: invocation.namespace, group: invocation.id)
    guard let path else { return 0 }
    let answer = bootstrap.answer(address: "unix://" + path)
    switch bootstrap.generation {
    case .plain: precondition(answer == Array("unix://\(path)".utf8))
    case .json: precondition(answer.first == UInt8(ascii: "{"))
    case .message: precondition((try? BootstrapResult(decoding: answer))?.address == "unix://" + path)
    }
    return 0
}
