// SPDX-License-Identifier: Apache-2.0
import OCISpec
import SandboxPlan
import Testing

@testable import Planning

@Suite("Planning: pods") struct PodTests {
    static let type = "io.kubernetes.cri.container-type"
    static let sandbox = "io.kubernetes.cri.sandbox-id"
    static let otherType = "io.kubernetes.cri-o.ContainerType"
    static let otherSandbox = "io.kubernetes.cri-o.SandboxID"

    @Test("Annotations of containerd and CRI-O determine a container's role in its pod")
    func annotationsTellTheRole() throws {
        #expect(try PodRole(annotations: [:]) == .alone)
        #expect(try PodRole(annotations: ["io.kubernetes.cri.sandbox-id": "x", "a": "b"]) == .alone)
        #expect(try PodRole(annotations: [Self.type: "sandbox"]) == .sandbox(name: nil))
        #expect(try PodRole(annotations: [Self.type: "sandbox", Self.sandbox: "s"]) == .sandbox(name: "s"))
        #expect(try PodRole(annotations: [Self.type: "container", Self.sandbox: "s"]) == .member(of: "s"))
        #expect(try PodRole(annotations: [Self.otherType: "container", Self.otherSandbox: "s"]) == .member(of: "s"))
        let both = [Self.type: "container", Self.sandbox: "s", Self.otherType: "container", Self.otherSandbox: "s"]
        #expect(try PodRole(annotations: both) == .member(of: "s"))
    }

    @Test(
        "Invalid and contradictory pod annotations are refused by name",
        arguments: [
            ([type: "pod"], "annotations[\"\(type)\"]: \"pod\" is neither sandbox nor container"),
            ([type: ""], "annotations[\"\(type)\"]: \"\" is neither sandbox nor container"),
            ([type: "container"], "annotations[\"\(type)\"]: \"container\" needs \"\(sandbox)\" beside it"),
            (
                [type: "container", sandbox: "../s"],
                "annotations[\"\(sandbox)\"]: \"../s\" is not the name of a sandbox"
            ),
            ([type: "sandbox", sandbox: ""], "annotations[\"\(sandbox)\"]: \"\" is not the name of a sandbox"),
            (
                [type: "sandbox", otherType: "container", otherSandbox: "s"],
                "annotations[\"\(otherType)\"]: \"container\" and \(type) do not say the same"
            ),
        ] as [([String: String], String)])
    func badOnesAreRefusedByName(annotations: [String: String], text: String) throws {
        let error = #expect(throws: PlanningError.self) { _ = try PodRole(annotations: annotations) }
        #expect(error?.description == text)
    }

    @Test("Pod resource annotations are numbers within bounds, or refused")
    func resourcesAreNumbers() throws {
        func resources(_ values: [String: String]) throws -> PodResources {
            try PodResources(
                annotations: Dictionary(
                    uniqueKeysWithValues: values.map { ("io.kubernetes.cri.sandbox-\($0.key)", $0.value) }))
        }
        let some = try resources([
            "memory": "1073741824", "cpu-quota": "200000", "cpu-period": "100000", "cpu-shares": "2048",
        ])
        #expect(some.memoryByteCount == 1 << 30)
        #expect(some.cpuQuota == 200_000 && some.cpuPeriod == 100_000 && some.cpuShares == 2048)
        let none = try resources(["memory": "0", "cpu-quota": "-1", "cpu-period": "0", "cpu-shares": ""])
        #expect(none == (try resources([:])))
        for bad in [
            ["memory": "1G"], ["memory": "-2"], ["memory": "1099511627777"], ["memory": "+5"], ["cpu-quota": "999"],
            ["cpu-period": "5"], ["cpu-period": "1000001"], ["cpu-shares": "1"], ["cpu-shares": "262145"],
            ["cpu-shares": "99999999999999999999"], ["memory": "１"],
        ] {
            #expect(throws: PlanningError.self) { _ = try resources(bad) }
        }
    }

    private func plan(_ place: PodPlace, _ namespaces: [Spec.Linux.Namespace]) throws -> [NamespacePlan] {
        var spec = Spec.template()
        spec.linux?.namespaces = namespaces
        return try BundlePlan(
            spec: spec, id: "c", rootPath: "/b/rootfs", bundlePath: "/b", shareName: "m1", place: place,
            kind: { _ in .directory }
        ).container.namespaces
    }

    private func joined(_ plans: [NamespacePlan]) -> Set<NamespaceKind> {
        Set(plans.filter { $0.joins == "s" }.map(\.kind))
    }

    @Test("Containers use the guest's network and get no network namespace")
    func theNetworkIsTheGuests() throws {
        let all: [Spec.Linux.Namespace] = [
            .init(type: .pid), .init(type: .network), .init(type: .ipc), .init(type: .uts), .init(type: .mount),
        ]
        #expect(try !plan(.alone, all).contains { $0.kind == .network })
        #expect(try !plan(.sandbox, all).contains { $0.kind == .network })
        #expect(try plan(.sandbox, all).allSatisfy { $0.joins == nil })
        #expect(try !plan(.member(sandbox: "s"), all).contains { $0.kind == .network })
    }

    @Test("A pod member shares IPC, and UTS and PID as its configuration says")
    func aMemberSharesIPCAndWhatTheDocumentNames() throws {
        let member = PodPlace.member(sandbox: "s")
        let own: [Spec.Linux.Namespace] = [.init(type: .pid), .init(type: .ipc), .init(type: .uts)]
        #expect(joined(try plan(member, own)) == [.ipc])
        #expect(joined(try plan(member, [])) == [.ipc, .uts])
        let named: [Spec.Linux.Namespace] = [
            .init(type: .pid, path: "/proc/1/ns/pid"), .init(type: .ipc, path: "/proc/1/ns/ipc"),
            .init(type: .uts, path: "/proc/1/ns/uts"),
        ]
        #expect(joined(try plan(member, named)) == [.ipc, .uts, .pid])
        // What keeps it from the agent is always its own, or the sandbox's.
        for namespaces in [own, [], named] {
            #expect(
                Set(try plan(member, namespaces).map(\.kind)) == [.mount, .pid, .ipc, .uts, .cgroup])
        }
    }

    @Test("A pod's /dev/shm is mounted from the guest and not shared from the host")
    func theMemoryOfThePodIsTheGuests() throws {
        var spec = Spec.template()
        spec.mounts = [
            Spec.Mount(destination: "/dev/shm", type: "bind", source: "/run/sandboxes/s/shm"),
            Spec.Mount(destination: "/shm", type: "bind", source: "/run/sandboxes/s/shm"),
        ]
        spec.mounts[0].options = ["rbind", "ro"]
        func plan(_ place: PodPlace) throws -> BundlePlan {
            try BundlePlan(
                spec: spec, id: "c", rootPath: "/b/rootfs", bundlePath: "/b", shareName: "m1", place: place,
                kind: { _ in .directory })
        }
        let member = try plan(.member(sandbox: "s"))
        #expect(member.container.mounts[0].source == .guest(path: "/dev/shm", recursive: false))
        #expect(member.container.mounts[0].attributes == .readOnly)
        #expect(member.shares.map(\.sharedPath) == ["m1/rootfs", "m1/mounts/1"])
        #expect(try plan(.sandbox).container.mounts[0].source == .guest(path: "/dev/shm", recursive: false))
        #expect(try plan(.alone).shares.count == 3)
    }

    @Test("A client's /dev/shm mount becomes a tmpfs of its size in the guest")
    func theMemoryOfAClientIsMadeInTheGuest() throws {
        var spec = Spec.template()
        spec.mounts = [Spec.Mount(destination: "/dev/shm", type: "bind", source: "/var/lib/c/shm")]
        spec.mounts[0].options = ["bind", "nosuid"]
        func mount(_ place: PodPlace, size: UInt64?) throws -> MountPlan {
            let plan = try BundlePlan(
                spec: spec, id: "c", rootPath: "/b/rootfs", bundlePath: "/b", shareName: "0", place: place,
                kind: { _ in .directory }, memorySize: { $0 == "/var/lib/c/shm" ? size : nil })
            return try #require(plan.container.mounts.first)
        }
        let made = MountSource.fileSystem(
            type: "tmpfs", source: "shm", options: ["mode=1777", "size=65536"], copiesUp: false)
        #expect(try mount(.alone, size: 65536).source == made)
        #expect(try mount(.alone, size: 65536).attributes == .noSetUID)
        #expect(try mount(.joined(sandbox: "s", [.network: "s"]), size: 65536).source == made)
        // No memory: a directory like any other.
        #expect(
            try mount(.alone, size: nil).source == .shared(path: "0/mounts/0", isFile: false, recursive: false))
        #expect(
            try mount(.joined(sandbox: "s", [.ipc: "x"]), size: 65536).source
                == .guest(path: "/dev/shm", recursive: false, container: "x"))
    }

    @Test("A container that joins namespaces by path shares those alone")
    func whoJoinsByPathSharesThatAlone() throws {
        func joins(_ owners: [NamespaceKind: String]) throws -> [NamespaceKind: String?] {
            let plans = try plan(.joined(sandbox: "s", owners), [.init(type: .ipc, path: "/proc/7/ns/ipc")])
            return Dictionary(uniqueKeysWithValues: plans.map { ($0.kind, $0.joins) })
        }
        let all: [NamespaceKind: String?] = [.mount: nil, .pid: nil, .ipc: nil, .uts: nil, .cgroup: nil, .network: nil]
        #expect(try joins([.ipc: "x"]) == all.merging([.ipc: "x"]) { $1 })
        #expect(try joins([.network: "x", .pid: "s"]) == all.merging([.network: "x", .pid: "s"]) { $1 })
        // The guest's own network is that of whom the machine was made for.
        var guests = all
        guests.removeValue(forKey: .network)
        #expect(try joins([.network: "s"]) == guests)
    }

    @Test("Paths of mount and cgroup namespaces are not supported")
    func aPathNamesNoMountNamespace() throws {
        var spec = Spec.template()
        spec.linux?.namespaces = [
            .init(type: .ipc, path: "/proc/1/ns/ipc"), .init(type: .mount, path: "/proc/1/ns/mnt"),
            .init(type: .cgroup, path: "/proc/1/ns/cgroup"),
        ]
        #expect(spec.unsupportedFields() == ["linux.namespaces[1].path", "linux.namespaces[2].path"])
    }

    private func role(
        _ arguments: [String], cgroup: String = "", _ annotations: [String: String] = [:]
    ) throws -> PodRole {
        var spec = Spec.template()
        spec.process?.args = arguments
        spec.linux?.cgroupsPath = cgroup
        spec.annotations = annotations.merging(["io.container.manager": "libpod"]) { $1 }
        return try PodRole(spec)
    }

    @Test("Podman's infra container is recognised by its command or its cgroup")
    func podmansInfraContainerIsKnown() throws {
        let pod = String(repeating: "0a", count: 32)
        #expect(try role(["/catatonit", "-P"]) == .infra)
        #expect(try role(["/pause"]) == .infra)
        #expect(try role(["sleep", "1"], cgroup: "/libpod_parent/\(pod)/libpod-\(pod)") == .infra)
        #expect(try role(["sleep"], cgroup: "machine-libpod_pod_\(pod).slice:libpod:\(pod)") == .infra)
        #expect(try role(["/catatonit", "-P", "x"]) == .alone)
        #expect(try role(["/pause", "x"]) == .alone)
        #expect(try role(["sleep"], cgroup: "/libpod_parent/libpod-\(pod)") == .alone)
        #expect(try role(["sleep"], cgroup: "machine.slice:libpod:\(pod)") == .alone)
        // Of its members the annotations say nothing that their namespaces do not.
        #expect(
            try role(
                ["/pause"], cgroup: "/libpod_parent/\(pod)/libpod-\(pod)",
                [Self.otherType: "container", Self.otherSandbox: pod]) == .alone)
        #expect(try role(["/pause"], [Self.otherType: "sandbox", Self.otherSandbox: pod]) == .sandbox(name: pod))
        var other = Spec.template()
        other.process?.args = ["/pause"]
        #expect(try PodRole(other) == .alone)
    }
}
