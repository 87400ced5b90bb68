// SPDX-License-Identifier: Apache-2.0
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

extension CgroupAccess {
    /// The host's layout without version 1; nil where there is no version 2, or it cannot be written.
    static let unified: CgroupLayout? = {
        guard getuid() == 0, var layout = try? CgroupLayout.current(), layout.unified != nil else { return nil }
        layout.versionOne = []
        let probe = try? HostCgroup.create(path: "/fc-runc-probe-\(getpid())", limits: CgroupLimits(), layout: layout)
        return (try? probe?.remove()) == nil ? nil : layout
    }()
}

/// Cgroups made for real, whichever version the host has.
@Suite(.enabled(if: CgroupAccess.obstacle == nil, CgroupAccess.obstacle), .serialized)
struct HostCgroupTests {
    let parent = "/fc-runc-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"

    @Test("Removing a cgroup removes every directory it made, and may be repeated")
    func whatWasMadeIsRemoved() throws {
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

    /// What create makes is known before it does, and can be taken away by a caller that knows only that.
    @Test("The directories to be made are known beforehand and removed only when empty")
    func whatWillBeMadeIsTold() throws {
        let outer = try HostCgroup.create(path: parent, limits: CgroupLimits())
        let planned = try HostCgroup.missing(path: "\(parent)/one/two")
        let inner = try HostCgroup.create(path: "\(parent)/one/two", limits: CgroupLimits())
        #expect(planned == inner.made)
        #expect(try HostCgroup.missing(path: "\(parent)/one/two").isEmpty)
        try HostCgroup.removeEmpty(planned)
        try HostCgroup.removeEmpty(planned)
        #expect(try HostCgroup.missing(path: "\(parent)/one/two") == planned)
        // One that holds another is not empty.
        let again = try HostCgroup.create(path: "\(parent)/one", limits: CgroupLimits())
        try HostCgroup.removeEmpty(outer.made)
        for directory in outer.directories { #expect(unsafe access(directory, F_OK) == 0) }
        try again.remove()
        try outer.remove()
    }

    @Test("Removal keeps a directory that existed before")
    func whatWasThereStays() throws {
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

    @Test("An occupied cgroup cannot be made again, and removing it kills its process")
    func aProcessJoinsAndIsKilledByRemoval() throws {
        let cgroup = try HostCgroup.create(path: "\(parent)/inner", limits: CgroupLimits())
        defer { try? cgroup.remove() }
        let pid = try Process.spawn("/bin/sleep", ["100"])
        let lists = try cgroup.openProcessLists()
        for list in lists.borrowed { try list.writeAll(Array("\(pid)\n".utf8)) }
        _ = consume lists
        #expect(try cgroup.processes() == [pid])
        #expect(throws: CgroupError.occupied(path: cgroup.directories[0])) {
            try HostCgroup.create(path: "\(parent)/inner", limits: CgroupLimits())
        }
        try cgroup.remove()
        #expect(try Process.wait(for: pid)?.status == .signaled(signal: SIGKILL))
        for directory in cgroup.made { #expect(unsafe access(directory, F_OK) != 0) }
    }

    @Test("The limits are written to the cgroup's control files")
    func limitsAreWritten() throws {
        var limits = CgroupLimits()
        limits.memoryByteCount = 64 << 20
        limits.cpuQuota = 50000
        limits.cpuPeriod = 100_000
        let cgroup = try HostCgroup.create(path: parent, limits: limits)
        defer { try? cgroup.remove() }
        func values(_ files: String...) -> [String] {
            files.flatMap { file in
                cgroup.directories.compactMap { try? ControlFile.read("\($0)/\(file)") }
            }
        }
        #expect(values("memory.limit_in_bytes", "memory.max") == ["67108864\n"])
        if try CgroupLayout.current().version == .one {
            #expect(values("cpu.cfs_quota_us", "cpu.cfs_period_us") == ["50000\n", "100000\n"])
        } else {
            #expect(values("cpu.max") == ["50000 100000\n"])
        }
    }

    @Test("A limit that cannot be written leaves no cgroup behind")
    func aLimitThatCannotBeWrittenLeavesNothing() throws {
        var limits = CgroupLimits()
        limits.processors = "4000"
        #expect(throws: CgroupError.self) { try HostCgroup.create(path: "\(parent)/inner", limits: limits) }
        let layout = try CgroupLayout.current()
        for hierarchy in layout.versionOne + [layout.unified].compactMap({ $0 }) {
            #expect(unsafe access(hierarchy.mountPoint + parent, F_OK) != 0)
        }
    }
}

/// Version 2, wherever the host has it mounted, a hybrid host's included.
@Suite(.enabled(if: CgroupAccess.unified != nil, "no cgroup2 is mounted, or it cannot be written"), .serialized)
struct UnifiedCgroupTests {
    let parent = "/fc-runc-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"

    @Test("Removing a version 2 cgroup kills processes in the cgroups below it")
    func aProcessJoinsAndIsKilledByRemoval() throws {
        let layout = try #require(CgroupAccess.unified)
        let cgroup = try HostCgroup.create(path: "\(parent)/a/b", limits: CgroupLimits(), layout: layout)
        defer { try? cgroup.remove() }
        #expect(cgroup.directories.count == 1)
        #expect(cgroup.made.count == 3)
        // One below, as a program may make: it goes with the rest.
        try Directory.make("\(cgroup.directories[0])/inner")
        let pid = try Process.spawn("/bin/sleep", ["100"])
        try ControlFile.write("\(pid)", to: "\(cgroup.directories[0])/inner/cgroup.procs")
        #expect(try cgroup.processes() == [])
        try cgroup.remove()
        #expect(try Process.wait(for: pid)?.status == .signaled(signal: SIGKILL))
        for directory in cgroup.made { #expect(unsafe access(directory, F_OK) != 0) }
    }

    @Test("A limit whose controller is missing fails with the controller's name")
    func aControllerThatIsNotThereIsNamed() throws {
        let layout = try #require(CgroupAccess.unified)
        var limits = CgroupLimits()
        limits.processors = "0"
        limits.memoryByteCount = 64 << 20
        let controllers = try layout.controllers()
        guard let missing = ["cpuset", "memory"].first(where: { !controllers.contains($0) }) else {
            let cgroup = try HostCgroup.create(path: parent, limits: limits, layout: layout)
            defer { try? cgroup.remove() }
            #expect(try ControlFile.read("\(cgroup.directories[0])/memory.max") == "67108864\n")
            return
        }
        #expect(throws: CgroupError.controllerMissing(missing)) {
            try HostCgroup.create(path: parent, limits: limits, layout: layout)
        }
        #expect(unsafe access("\(layout.unified?.mountPoint ?? "")\(parent)", F_OK) != 0)
    }
}
