// SPDX-License-Identifier: Apache-2.0
import TaskRootfs

/// A list of mounts, a word a line: type, source, target, options, an empty line. Whatever it holds, it is refused, or
/// is a disk, or names only what is mounted here; nothing is mounted to find out.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRootfs(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    // libFuzzer gives `byteCount` readable bytes at `data` until this returns.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: byteCount))
    let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    let mounts = lines.split(separator: []).map { words in
        let words = words.map { String(decoding: $0, as: UTF8.self) }
        return RootMount(
            type: words[0], source: words.count > 1 ? words[1] : "", target: words.count > 2 ? words[2] : "",
            options: Array(words.dropFirst(3)))
    }
    do throws(TaskRootfsError) {
        if let disk = try TaskRootfs.classify(mounts) {
            precondition(mounts.count == 1 && disk.path.hasPrefix("/"))
        }
    } catch {
        precondition(!"\(error)".contains("\n"))
    }
    return 0
}
