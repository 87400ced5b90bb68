// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Cgroup

/// What is read from mountinfo and /proc/self/cgroup, and where a path lands.
struct LayoutTests {
    static let hybrid = CgroupLayout(
        mountinfo: """
            22 27 0:21 / /proc rw,relatime - proc proc rw
            32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct
            34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset,clone_children
            35 31 0:32 /box /sys/fs/cgroup/mem\\040ory rw,relatime - cgroup cgroup rw,memory
            36 31 0:32 / /elsewhere/memory rw,relatime - cgroup cgroup rw,memory
            40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
            41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
            """,
        membership: """
            4:memory:/box/inner
            3:cpuset:/
            2:cpu,cpuacct:/user
            1:name=systemd:/user.slice/session 1
            0::/user.slice
            """)

    static let unified = CgroupLayout(
        mountinfo: "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate",
        membership: "0::/system.slice/x.service\n")

    @Test("A hybrid host is version 1, with its hierarchies and controllers")
    func aHybridHostIsVersionOne() throws {
        #expect(Self.hybrid.version == .one)
        #expect(
            Self.hybrid.versionOne.map(\.controllers) == [
                ["cpu", "cpuacct"], ["cpuset"], ["memory"], ["name=systemd"],
            ])
        #expect(Self.hybrid.versionOne[2].mountPoint == "/sys/fs/cgroup/mem ory")
        #expect(Self.hybrid.unified?.mountPoint == "/sys/fs/cgroup/unified")
        #expect(try Self.hybrid.controllers() == ["cpu", "cpuacct", "cpuset", "memory"])
    }

    @Test("A host whose only controllers are in cgroup2 is version 2")
    func oneHierarchyIsVersionTwo() {
        #expect(Self.unified.version == .two)
        #expect(CgroupLayout(mountinfo: "", membership: "").version == .none)
        // systemd's own hierarchy limits nothing.
        let named = CgroupLayout(
            mountinfo: """
                40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd
                41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
                """,
            membership: "1:name=systemd:/\n0::/\n")
        #expect(named.version == .two)
    }

    @Test("An absolute path starts at the hierarchy's mount point")
    func anAbsolutePathStartsAtTheMountPoint() throws {
        let path = try CgroupPath("/a//b")
        for hierarchy in Self.hybrid.versionOne { #expect(path.names(in: hierarchy) == ["a", "b"]) }
        #expect(path.names(in: try #require(Self.unified.unified)) == ["a", "b"])
    }

    @Test("A relative path starts at the caller's cgroup, in version 2 at its parent")
    func aRelativePathStartsAtTheCallersCgroup() throws {
        let path = try CgroupPath("a/b")
        #expect(
            Self.hybrid.versionOne.map { path.names(in: $0) } == [
                ["user", "a", "b"], ["a", "b"], ["inner", "a", "b"], ["user.slice", "session 1", "a", "b"],
            ])
        #expect(path.names(in: try #require(Self.unified.unified)) == ["system.slice", "a", "b"])
    }

    @Test(
        "An empty path, or one with dot entries, control characters or a long name, is refused",
        arguments: [
            "", "/", "..", "/a/../b", "a/..", "/a/./b", "/a\nb", "/a\0b", "/" + String(repeating: "x", count: 256),
        ])
    func aPathThatLeadsElsewhereIsRefused(path: String) {
        #expect(throws: CgroupError.invalidPath(path)) { try CgroupPath(path) }
    }
}

/// What is written for which limit.
struct LimitTests {
    @Test("Each limit has its control file and value in either version")
    func eachLimitHasItsFile() throws {
        var limits = CgroupLimits()
        limits.memoryByteCount = 1 << 30
        limits.cpuShares = 1024
        limits.cpuPeriod = 50000
        limits.cpuQuota = 25000
        limits.processors = "0-1,3"
        #expect(
            try limits.settings(.one).map { "\($0.file) \($0.value)" } == [
                "cpuset.cpus 0-1,3", "memory.limit_in_bytes 1073741824", "cpu.shares 1024", "cpu.cfs_period_us 50000",
                "cpu.cfs_quota_us 25000",
            ])
        #expect(
            try limits.settings(.two).map { "\($0.file) \($0.value)" } == [
                "cpuset.cpus 0-1,3", "memory.max 1073741824", "cpu.weight 39", "cpu.max 25000 50000",
            ])
        limits = CgroupLimits()
        limits.cpuQuota = -5
        #expect(try limits.settings(.two).map(\.value) == ["max 100000"])
        #expect(try limits.settings(.one).map(\.value) == ["-1"])
        #expect(try CgroupLimits().settings(.one).isEmpty)
    }

    @Test("CPU shares are clamped to the range of CPU weights")
    func sharesSpreadOverWeights() {
        #expect(CgroupLimits.weight(ofShares: 2) == 1)
        #expect(CgroupLimits.weight(ofShares: 262_144) == 10000)
        #expect(CgroupLimits.weight(ofShares: .max) == 10000)
        #expect(CgroupLimits.weight(ofShares: 0) == 1)
    }

    @Test("A node list of anything but numbers and ranges is refused", arguments: ["", "a", "0 1", "0\n1"])
    func aListIsNumbersAndRanges(list: String) {
        var limits = CgroupLimits()
        limits.memoryNodes = list
        #expect(throws: CgroupError.invalidList(list, of: "cpuset.mems")) { try limits.settings(.one) }
    }
}
