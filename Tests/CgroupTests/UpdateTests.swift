import Linux
import Testing

@testable import Cgroup

@Suite(.enabled(if: CgroupAccess.obstacle == nil, CgroupAccess.obstacle), .serialized)
struct UpdateTests {
    @Test func limitsAreWrittenAndTheOthersStay() throws {
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
            return
        }
        let memory = try #require(cgroup.directories.first { $0.contains("memory") })
        let cpu = try #require(cgroup.directories.first { $0.contains("cpu/") || $0.contains("cpu,") })
        #expect(try ControlFile.words("\(memory)/memory.limit_in_bytes") == ["134217728"])
        #expect(try ControlFile.words("\(cpu)/cpu.shares") == ["512"])
    }

    @Test func aControllerThatIsMissingIsNamed() throws {
        var limits = CgroupLimits()
        limits.cpuShares = 512
        let cgroup = HostCgroup(directories: ["/sys/fs/cgroup/memory/x"], made: [])
        let layout = CgroupLayout(
            mountinfo: "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n", membership: "4:memory:/\n")
        #expect(throws: CgroupError.controllerMissing("cpu")) { try cgroup.update(limits, layout: layout) }
    }
}
