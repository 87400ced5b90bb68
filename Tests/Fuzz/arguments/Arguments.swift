// SPDX-License-Identifier: Apache-2.0
import ProgramArguments
import SandboxPlan

/// Words for our programs, one a line, and the fields of an order on a monitor's control socket: whatever they are, they
/// are read or refused without a trap, and what was read is written so that it reads as the same again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzArguments(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    // libFuzzer gives `byteCount` readable bytes at `data` until this returns.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: byteCount))
    // No word of a program's holds NUL.
    guard !bytes.contains(0) else { return 0 }
    let words = bytes.split(separator: 10, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    for word in words {
        _ = try? DiskPlan(fields: word, of: "--disk")
        _ = try? NetworkArguments(fields: word, of: "--net")
        _ = try? NetworkLimits(fields: word, of: "net")
        _ = try? AttachArguments(fields: word, of: "net")
    }
    switch words.first {
    case "devices": check(DeviceArguments.self, words.dropFirst())
    case "machine": check(MachineArguments.self, words.dropFirst())
    case "files": check(FileServerArguments.self, words.dropFirst())
    default: check(ProxyArguments.self, words[...])
    }
    return 0
}

private func check<List: ArgumentList>(_ type: List.Type, _ words: ArraySlice<String>) {
    guard let list = try? List(parsing: words) else { return }
    guard let again = try? List(parsing: list.arguments()) else { preconditionFailure("read, and not written") }
    precondition(again == list, "the arguments changed on the way")
}
