// SPDX-License-Identifier: Apache-2.0
import OCISpec
import SandboxPlan
import Testing

@testable import Planning

private struct Missing: Error, CustomStringConvertible {
    let description = "no such file or directory"
}

@Suite("Planning: bundles") struct PlanningTests {
    private func plan(_ edit: (inout Spec) -> Void = { _ in }) throws -> BundlePlan {
        var spec = Spec.template()
        edit(&spec)
        return try BundlePlan(
            spec: spec, id: "c", rootPath: "/bundle/rootfs", bundlePath: "/bundle", shareName: "0",
            kind: { path throws(Missing) in
                if path.hasPrefix("/absent") { throw Missing() }
                switch path {
                case "/run/d.sock": return .socket
                case "/dev/log": return .datagramSocket
                case "/run/udev/control": return .packetSocket
                case "/run/initctl": return .fifo
                default: return path.hasSuffix("file") ? .other : .directory
                }
            })
    }

    @Test("A bound stream socket becomes a socket mount and is not shared as a file")
    func aSocketIsNotShared() throws {
        let plan = try plan {
            $0.mounts = [
                Spec.Mount(destination: "/proc", type: "proc", source: "proc"),
                Spec.Mount(
                    destination: "/var/run/d.sock", type: "bind", source: "/run/d.sock", options: ["bind", "ro"]),
                Spec.Mount(destination: "/data", type: "bind", source: "/data", options: ["bind"]),
            ]
        }
        #expect(plan.shares.map(\.source) == ["/bundle/rootfs", "/data"])
        #expect(plan.sockets == [BoundSocket(mountIndex: 1, source: "/run/d.sock")])
        guard case .socket = plan.container.mounts[1].source else {
            Issue.record("mounted as \(plan.container.mounts[1].source)")
            return
        }
        #expect(plan.container.mounts[1].attributes == .readOnly)
    }

    @Test(
        "A bound datagram socket, packet socket or FIFO is refused by path and kind",
        arguments: [("/dev/log", "datagram"), ("/run/udev/control", "seqpacket"), ("/run/initctl", "fifo")])
    func whatCannotBeReached(path: String, word: String) {
        let error = #expect(throws: PlanningError.self) {
            try plan {
                $0.mounts = [Spec.Mount(destination: "/x", type: "bind", source: path, options: ["bind"])]
            }
        }
        #expect("\(error!)".hasPrefix("mounts[0].source: \(path): a \(word)"))
    }

    @Test("The root is the first share, and shared writable even for a read-only root")
    func theRootIsTheFirstShare() throws {
        let plan = try plan { $0.root = Spec.Root(path: "rootfs", readonly: true) }
        #expect(plan.shares.map(\.sharedPath) == ["0/rootfs"])
        // What the document has made in it is made first: it is sealed afterwards.
        #expect(!plan.shares[0].isReadOnly)
        #expect(!plan.shares[0].followsLinks)
        #expect(plan.container.root == RootPlan(.shared(path: "0/rootfs"), isReadOnly: true))
    }

    @Test("A root on a disk is mounted from the disk and not shared")
    func aRootOnADiskIsNotShared() throws {
        var spec = Spec.template()
        spec.root = Spec.Root(path: "rootfs", readonly: false)
        spec.mounts = [Spec.Mount(destination: "/a", type: "bind", source: "/data")]
        for isReadOnly in [false, true] {
            let disk = DiskMount(serial: "root-0", fileSystem: .ext4, isReadOnly: isReadOnly)
            let plan = try BundlePlan(
                spec: spec, id: "c", rootPath: "/bundle/rootfs", bundlePath: "/bundle", shareName: "0",
                rootDisk: disk, kind: { _ in .directory })
            #expect(plan.container.root == RootPlan(.disk(disk), isReadOnly: isReadOnly))
            #expect(plan.shares.map(\.sharedPath) == ["0/mounts/0"])
        }
    }

    @Test("Mount options become a disk's options and attributes, or are refused")
    func wordsOfMountAreTheDisks() throws {
        let disk = try DiskMount(
            serial: "s", type: "ext4", options: ["loop", "rw", "nodev", "noatime", "sync", "noload", "data=ordered"],
            isReadOnly: false)
        #expect(
            disk
                == DiskMount(
                    serial: "s", fileSystem: .ext4, options: ["noload", "data=ordered", "sync"],
                    attributes: [.noDevices, .noAccessTime], isReadOnly: false))
        #expect(try DiskMount(serial: "s", type: "ext4", options: ["ro"], isReadOnly: false).isReadOnly)
        #expect(try DiskMount(serial: "s", type: "ext4", options: ["ro"], isReadOnly: false).attributes.isEmpty)
        #expect(try DiskMount(serial: "s", type: "erofs", options: [], isReadOnly: false).isReadOnly)
        #expect(throws: PlanningError.fileSystem("")) {
            try DiskMount(serial: "s", type: "", options: [], isReadOnly: true)
        }
        for type in ["overlay", "auto", "ext4,erofs", "proc", "vfat"] {
            #expect(throws: PlanningError.fileSystem(type)) {
                try DiskMount(serial: "s", type: type, options: [], isReadOnly: true)
            }
        }
        for option in ["bind", "rbind", "remount", "rro", "rshared", "private", "idmap", "tmpcopyup", "a\0b"] {
            #expect(throws: PlanningError.diskOption(option)) {
                try DiskMount(serial: "s", type: "ext4", options: ["ro", option], isReadOnly: true)
            }
        }
    }

    @Test("A bind mount is shared under its index, with its attributes")
    func aBindIsSharedUnderItsIndex() throws {
        let plan = try plan {
            $0.mounts = [
                Spec.Mount(destination: "/proc", type: "proc", source: "proc"),
                Spec.Mount(destination: "/a", type: "none", source: "data", options: ["rbind", "ro", "nosuid"]),
                Spec.Mount(destination: "/b", type: "bind", source: "/etc/file", options: ["rro"]),
            ]
        }
        #expect(plan.shares.map(\.source) == ["/bundle/rootfs", "/bundle/data", "/etc/file"])
        #expect(plan.shares[1].isReadOnly && plan.shares[1].isRecursive && !plan.shares[1].isRecursivelyReadOnly)
        #expect(plan.shares[2].isReadOnly && plan.shares[2].isRecursivelyReadOnly && plan.shares[2].isFile)
        let mounts = plan.container.mounts
        #expect(mounts[1].source == .shared(path: "0/mounts/1", isFile: false, recursive: true))
        #expect(mounts[1].attributes == [.readOnly, .noSetUID])
        #expect(mounts[2].source == .shared(path: "0/mounts/2", isFile: true, recursive: false))
        #expect(mounts[2].recursiveSet == .readOnly)
    }

    @Test("A missing bind source is named in the error")
    func anAbsentSourceIsNamed() {
        #expect(
            throws: PlanningError.mountSource(index: 0, path: "/absent/x", reason: "no such file or directory")
        ) {
            try plan { $0.mounts = [Spec.Mount(destination: "/a", type: "bind", source: "/absent/x")] }
        }
    }

    @Test(
        "CPU shares become a cgroup v2 weight",
        arguments: [(2, "1"), (1024, "39"), (262_144, "10000")] as [(UInt64, String)])
    func sharesBecomeWeights(shares: UInt64, weight: String) throws {
        var resources = Spec.Linux.Resources()
        resources.cpu = Spec.Linux.Resources.CPU()
        resources.cpu?.shares = shares
        #expect(try ResourcePlan(resources).files == [KernelParameter(name: "cpu.weight", value: weight)])
    }

    @Test("Resource limits become cgroup v2 files")
    func limitsBecomeFiles() throws {
        var resources = Spec.Linux.Resources()
        resources.memory = Spec.Linux.Resources.Memory()
        resources.memory?.limit = 1 << 20
        resources.cpu = Spec.Linux.Resources.CPU()
        resources.cpu?.quota = 50_000
        resources.pids = Spec.Linux.Resources.Pids()
        resources.pids?.limit = -1
        resources.unified = ["memory.high": "4096"]
        #expect(
            try ResourcePlan(resources).files.map { "\($0.name)=\($0.value)" }
                == ["memory.max=1048576", "cpu.max=50000 100000", "pids.max=max", "memory.high=4096"])
    }

    @Test(
        "A unified key that is not a controller's file is refused",
        arguments: ["../x", "memory/max", "cgroup.procs", "plain"])
    func aUnifiedKeyIsAControllersFile(key: String) {
        var resources = Spec.Linux.Resources()
        resources.unified = [key: "1"]
        #expect(throws: PlanningError.self) { try ResourcePlan(resources) }
    }

    @Test("A container always gets its own mount, pid, ipc, uts and cgroup namespaces")
    func ownNamespacesAreAlwaysMade() throws {
        let plan = try plan { $0.linux?.namespaces = [.init(type: .mount)] }
        #expect(plan.container.namespaces.map(\.kind) == [.mount, .pid, .ipc, .uts, .cgroup])
        #expect(plan.container.namespaces.allSatisfy { $0.joins == nil })
    }

    @Test("A sysctl name becomes its path below /proc/sys")
    func sysctlsArePaths() throws {
        let plan = try plan { $0.linux?.sysctl = ["net.ipv4.conf.eth0/100.rp_filter": "1"] }
        #expect(
            plan.container.kernelParameters == [
                KernelParameter(name: "net/ipv4/conf/eth0.100/rp_filter", value: "1")
            ])
    }

    @Test("Capability names become a mask, and unknown names are left out")
    func capabilitiesBecomeMasks() throws {
        let plan = try plan {
            $0.process?.capabilities?.effective = ["CAP_CHOWN", "CAP_KILL", "CAP_NO_SUCH"]
        }
        #expect(plan.container.process.capabilities.effective == 0b10_0001)
    }
}
