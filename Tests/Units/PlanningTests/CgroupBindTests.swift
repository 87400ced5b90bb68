// SPDX-License-Identifier: Apache-2.0
import OCISpec
import SandboxPlan
import Testing

@testable import Planning

@Suite("Planning: binds of cgroup file systems") struct CgroupBindTests {
    private func mounts(_ mounts: [Spec.Mount]) throws -> BundlePlan {
        var spec = Spec.template()
        spec.mounts = mounts
        return try BundlePlan(
            spec: spec, id: "c", rootPath: "/b/rootfs", bundlePath: "/b", shareName: "0",
            kind: { $0.utf8.starts(with: "/sys/fs/cgroup".utf8) ? .cgroup : .directory })
    }

    private func bind(_ source: String, _ destination: String, _ options: String...) -> Spec.Mount {
        var mount = Spec.Mount(destination: destination, type: "bind", source: source)
        mount.options = ["bind"] + options
        return mount
    }

    /// As podman mounts for systemd on a host of version 1.
    @Test("A writable bind of a host hierarchy makes the guest's cgroup mount writable")
    func aHierarchyMakesTheGuestsWritable() throws {
        var cgroup = Spec.Mount(destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup")
        cgroup.options = ["nosuid", "ro"]
        let systemd = bind("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/systemd")
        let plan = try mounts([cgroup, systemd])
        #expect(plan.container.mounts.map(\.source) == [.cgroup])
        #expect(plan.container.mounts.map(\.attributes) == [.noSetUID])
        #expect(plan.shares.count == 1)
        // One that may only be read changes nothing; one without the other makes it.
        let reading = try mounts([cgroup, bind("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/systemd", "ro")])
        #expect(reading.container.mounts.map(\.attributes) == [[.noSetUID, .readOnly]])
        #expect(try mounts([systemd]).container.mounts.map(\.source) == [.cgroup])
    }

    @Test("A bind of the host's whole cgroup tree becomes the guest's own")
    func aBindOfAllIsTheGuests() throws {
        let plan = try mounts([bind("/sys/fs/cgroup", "/sys//fs/cgroup/", "ro")])
        #expect(plan.container.mounts.map(\.source) == [.cgroup])
        #expect(plan.container.mounts.map(\.attributes) == [.readOnly])
        #expect(plan.shares.count == 1)
    }

    /// For who looks at the host's, as monitors do.
    @Test("A cgroup bind to another place is shared from the host")
    func elsewhereItIsTheHosts() throws {
        let plan = try mounts([bind("/sys/fs/cgroup", "/host/cgroup", "ro"), bind("/data", "/sys/fs/cgroup/x")])
        #expect(plan.shares.map(\.source) == ["/b/rootfs", "/sys/fs/cgroup", "/data"])
    }
}
