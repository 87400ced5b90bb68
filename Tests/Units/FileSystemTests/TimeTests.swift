// SPDX-License-Identifier: Apache-2.0
import CLinux
@testable import FileSystem
import Glibc
import Linux
import SandboxPlan
import Testing

/// Times as far from now as a file system keeps them: tmpfs keeps any.
@Suite(.enabled(if: isRoot, "mounting takes root"))
struct TimeTests {
    private static let ends: [Int64] = [.min, .min + 1, -(1 << 62), -1, 0, 1 << 33, 1 << 62, .max - 1, .max]

    @Test("Any file time can be set and read back", arguments: [CachePolicy.auto, .always, .none])
    func anyTimeCanBeGivenAndServed(cache: CachePolicy) throws {
        let tree = try TemporaryTree()
        try tree.directory("m")
        try withPath(tree.at("m")) { (target) throws(Errno) in
            try withPath("tmpfs") { (type) throws(Errno) in _ = try syscall(__NR_mount, type, target, type, 0, 0) }
        }
        defer {
            try? withPath(tree.at("m")) { (target) throws(Errno) in
                _ = try syscall(__NR_umount2, target, CL_MNT_DETACH)
            }
        }
        let guest = try Guest(tree, cache: cache)
        try tree.file("m/f", "x")
        let directory = guest.lookup("m").node
        for seconds in Self.ends {
            let node = guest.lookup("f", in: directory).node
            // FATTR_ATIME | FATTR_MTIME
            let times = Bytes().u32(0x30).u32(0).zeros(24).u64(UInt64(bitPattern: seconds))
                .u64(UInt64(bitPattern: seconds)).zeros(8).u32(999_999_999).u32(999_999_999).zeros(24)
            let answer = guest.call(.setAttributes, node, times)
            #expect(answer.error == 0)
            #expect(tree.status("m/f")?.st_mtim.tv_sec == Int(seconds), "this file system keeps no such time")
            #expect(answer.attributes.modified == UInt64(bitPattern: seconds))
            let handle = guest.open(node, O_RDWR)
            #expect(handle.error == 0 && guest.read(handle.u64(0), 0, 10).body == [0x78])
            #expect(guest.lookup("f", in: directory).entry.modified == UInt64(bitPattern: seconds))
            #expect(guest.release(handle.u64(0)).error == 0)
        }
    }
}
