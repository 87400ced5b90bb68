import Glibc
import Linux
import Testing

@testable import Cgroup

/// Whether cgroups can be made here.
enum CgroupAccess {
    /// Why not; nil where they can.
    static let obstacle: Comment? =
        if getuid() != 0 {
            "needs root"
        } else if (try? CgroupLayout.current().version) == CgroupLayout.Version.none {
            "no cgroups are mounted"
        } else if (try? HostCgroup.create(path: "/fc-runc-probe-\(getpid())", limits: CgroupLimits()).remove()) == nil {
            "cgroups cannot be made here"
        } else {
            nil
        }
}

/// Cgroups made for real, whichever version the host has.
@Suite(.enabled(if: CgroupAccess.obstacle == nil, CgroupAccess.obstacle), .serialized)
struct HostCgroupTests {
    let parent = "/fc-runc-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"

    @Test func whatWasMadeIsRemoved() throws {
        let layout = try CgroupLayout.current()
        let cgroup = try HostCgroup.create(path: "\(parent)/inner", limits: CgroupLimits())
        #expect(cgroup.directories.count == (layout.version == .one ? layout.versionOne.count : 1))
        #expect(cgroup.made.count == 2 * cgroup.directories.count)
        for directory in cgroup.directories { #expect(directory.hasSuffix("\(parent)/inner")) }
        for directory in cgroup.made { #expect(unsafe access(directory, F_OK) == 0) }
        try cgroup.remove()
        for directory in cgroup.made { #expect(unsafe access(directory, F_OK) != 0, "\(directory)") }
        try cgroup.remove()
    }

    @Test func whatWasThereStays() throws {
        let outer = try HostCgroup.create(path: parent, limits: CgroupLimits())
        let inner = try HostCgroup.create(path: "\(parent)/inner", limits: CgroupLimits())
        let again = try HostCgroup.create(path: parent, limits: CgroupLimits())
        #expect(again.made.isEmpty)
        try again.remove()
        for directory in outer.directories { #expect(unsafe access(directory, F_OK) == 0) }
        try inner.remove()
        for directory in outer.directories { #expect(unsafe access(directory, F_OK) == 0) }
        try outer.remove()
        for directory in outer.directories { #expect(unsafe access(directory, F_OK) != 0) }
    }

    @Test func aProcessJoinsAndIsKilledByRemoval() throws {
        let cgroup = try HostCgroup.create(path: "\(parent)/inner", limits: CgroupLimits())
        defer { try? cgroup.remove() }
        let pid = try Process.spawn("/bin/sleep", ["100"])
        for number in try cgroup.openProcessLists() {
            try FileDescriptor(owning: number).writeAll(Array("\(pid)\n".utf8))
        }
        #expect(try cgroup.processes() == [pid])
        #expect(throws: CgroupError.occupied(path: cgroup.directories[0])) {
            try HostCgroup.create(path: "\(parent)/inner", limits: CgroupLimits())
        }
        try cgroup.remove()
        #expect(try Process.wait(for: pid)?.status == .signaled(signal: SIGKILL))
        for directory in cgroup.made { #expect(unsafe access(directory, F_OK) != 0) }
    }

    @Test func limitsAreWritten() throws {
        var limits = CgroupLimits()
        limits.memoryByteCount = 64 << 20
        limits.cpuQuota = 50000
        limits.cpuPeriod = 100_000
        let cgroup = try HostCgroup.create(path: parent, limits: limits)
        defer { try? cgroup.remove() }
        let files = ["memory.limit_in_bytes", "memory.max"]
        let values = cgroup.directories.flatMap { directory in
            files.compactMap { try? ControlFile.read("\(directory)/\($0)") }
        }
        #expect(values == ["67108864\n"])
    }

    @Test func aLimitThatCannotBeWrittenLeavesNothing() throws {
        var limits = CgroupLimits()
        limits.processors = "4000"
        #expect(throws: CgroupError.self) { try HostCgroup.create(path: "\(parent)/inner", limits: limits) }
        let layout = try CgroupLayout.current()
        for hierarchy in layout.versionOne + [layout.unified].compactMap({ $0 }) {
            #expect(unsafe access(hierarchy.mountPoint + parent, F_OK) != 0)
        }
    }
}
