// SPDX-License-Identifier: Apache-2.0
import Linux
import TestSupport
import Testing

@testable import Cgroup

@Suite("Cgroup: updates", .enabled(if: CgroupAccess.obstacle == nil, CgroupAccess.obstacle), .serialized)
struct UpdateTests {
    @Test("An update writes its limits and leaves the others alone")
    func limitsAreWrittenAndTheOthersStay() throws {
        var limits = CgroupLimits()
        limits.memoryByteCount = 64 << 20
        limits.cpuShares = 512
        let path = "/fc-runc-test-\(UInt32.random(in: 0 ... .max))"
        let cgroup = try HostCgroup.create(path: path, limits: limits)
        defer { try? cgroup.remove() }
        var update = CgroupLimits()
        update.memoryByteCount = 128 << 20
        try cgroup.update(update)
        guard try CgroupLayout.current().version == .one else {
            let directory = try #require(cgroup.directories.first)
            #expect(try ControlFile.words("\(directory)/memory.max") == ["134217728"])
            #expect(try ControlFile.words("\(directory)/cpu.weight") == ["20"])
            return
        }
        let memory = try #require(cgroup.directories.first { $0.contains("memory") })
        let cpu = try #require(cgroup.directories.first { $0.contains("cpu/") || $0.contains("cpu,") })
        #expect(try ControlFile.words("\(memory)/memory.limit_in_bytes") == ["134217728"])
        #expect(try ControlFile.words("\(cpu)/cpu.shares") == ["512"])
    }

    @Test("An update without the limit's controller fails with the controller's name")
    func aControllerThatIsMissingIsNamed() throws {
        var limits = CgroupLimits()
        limits.cpuShares = 512
        let cgroup = HostCgroup(directories: ["/sys/fs/cgroup/memory/x"], made: [])
        let layout = CgroupLayout(
            mountinfo: "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", membership: "4:memory:/\n")
        #expect(throws: CgroupError.controllerMissing("cpu")) { try cgroup.update(limits, layout: layout) }
    }
}

/// Version 2 whatever the host has: its files are plain ones in a directory of the test's.
@Suite("Cgroup: updates of version 2") struct UnifiedUpdateTests {
    @Test("An update on version 2 writes the files of its limits and no others")
    func onlyWhatIsSaidIsWritten() throws {
        let scratch = Scratch()
        let directory = try scratch.directory("x")
        let names = ["cpu.max", "cpu.weight", "cpuset.cpus", "cpuset.mems", "memory.max"]
        for name in names { _ = try scratch.write("", to: "x/\(name)") }
        let layout = CgroupLayout(
            mountinfo: "30 25 0:26 / \(scratch.path) rw - cgroup2 cgroup2 rw\n", membership: "0::/\n")
        let cgroup = HostCgroup(directories: [directory], made: [])
        func update(_ change: (inout CgroupLimits) -> Void) throws -> [String] {
            var limits = CgroupLimits()
            change(&limits)
            try cgroup.update(limits, layout: layout)
            return try names.map { try ControlFile.read("\(directory)/\($0)") }
        }
        #expect(try update { $0.memoryByteCount = 64 << 20 } == ["", "", "", "", "67108864"])
        #expect(
            try update {
                $0.cpuShares = 512
                $0.cpuQuota = 50000
            } == ["50000 100000", "20", "", "", "67108864"])
        #expect(
            try update {
                $0.processors = "0-1"
                $0.memoryNodes = "0"
            } == ["50000 100000", "20", "0-1", "0", "67108864"])
    }
}
