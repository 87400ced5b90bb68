// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import CLinux
import Glibc
import Linux
import SandboxPlan
import Testing

/// Containers whose root is on a disk, on this machine's loop devices.
@Suite(.serialized, .enabled(if: DiskImage.lack == nil, "\(DiskImage.lack ?? "")"))
struct RootDiskTests {
    let agent: HostedAgent
    let disk: DiskImage

    init() throws {
        // The root that containers otherwise have becomes the disk's.
        let template = try HostedAgent()
        disk = try DiskImage(serial: "root-0", root: template.directory + "/shared/0/rootfs")
        agent = try HostedAgent(blockDevices: disk.blockDevices)
    }

    private func plan(_ script: String, _ change: (inout DiskMount) -> Void = { _ in }) -> ContainerPlan {
        var plan = agent.plan("c", script)
        var mount = DiskMount(serial: "root-0", fileSystem: .ext4, isReadOnly: false)
        change(&mount)
        plan.root.source = .disk(mount)
        // Nothing but the usual nodes: the disk is not among them.
        plan.resources.deviceRules = [
            DeviceRule(
                allows: false, kind: nil, major: nil, minor: nil, canRead: true, canWrite: true, canMakeNode: true)
        ]
        return plan
    }

    /// The disk is mounted nowhere, in no mount namespace: the kernel opens it exclusively, which it refuses for one that is.
    private func expectNoMount() throws {
        // The namespace of a container goes a little after its last process.
        let patience = Deadline(after: .seconds(10))
        while true {
            do throws(Errno) {
                _ = try FileDescriptor.open(disk.node, [.readWrite, .exclusive])
                return
            } catch .busy where !patience.hasPassed {
                SystemTime.sleep(milliseconds: 20)
            }
        }
    }

    @Test("Writes to a root disk persist, and the disk is unmounted with its container")
    func whatIsWrittenIsThereAfterTheEnd() throws {
        #expect(try agent.run(plan("echo kept > /kept; head -n 1 /proc/mounts")).output.contains(" / ext4 rw"))
        let outcome = try agent.run(plan("cat /kept"))
        #expect(outcome.output == "kept\n" && outcome.code == 0)
        try expectNoMount()
    }

    @Test("A read-only disk is mounted read-only and refuses writes")
    func aReadOnlyDiskIsNotWritten() throws {
        let plan = plan("echo x > /x; head -n 1 /proc/mounts") { $0.isReadOnly = true }
        let outcome = try agent.run(plan)
        #expect(outcome.error.contains("Read-only file system"))
        #expect(outcome.output.contains(" / ext4 ro"))
    }

    @Test("A read-only root on a writable disk refuses writes but gets its mount points")
    func theRootAloneMayBeReadOnly() throws {
        var plan = plan("echo x > /x; head -n 1 /proc/mounts")
        plan.root.isReadOnly = true
        // A place that is not on the disk is made before it becomes so.
        plan.mounts.append(
            MountPlan(
                destination: "/made/here",
                source: .fileSystem(type: "tmpfs", source: "tmpfs", options: [], copiesUp: false)))
        #expect(try agent.run(plan).error.contains("Read-only file system"))
    }

    @Test("Mount attributes and file system options apply to the root disk")
    func attributesAndOptionsAreTheDisks() throws {
        let plan = plan("head -n 1 /proc/mounts") {
            $0.options = ["noinit_itable", "sync"]
            $0.attributes = [.noDevices, .noAccessTime]
        }
        let line = try agent.run(plan).output
        for word in ["sync", "nodev", "noatime", "noinit_itable"] { #expect(line.contains(word), "\(line)") }
    }

    @Test("A container cannot read its root disk through a device node")
    func itsOwnNodeIsDenied() throws {
        let node = try FileDescriptor.open(disk.node, .path)
        let number = try FileNode.status(of: node.borrowed).deviceNumber
        var plan = plan("cat /disk")
        plan.devices = [
            DevicePlan(
                path: "/disk", kind: .block, major: UInt32(number >> 8 & 0xfff), minor: UInt32(number & 0xff),
                mode: 0o666,
                uid: 0, gid: 0)
        ]
        #expect(try agent.run(plan).error.contains("Operation not permitted"))
    }

    @Test("A container on a disk has a cgroup namespace of its own")
    func itIsInItsCgroup() throws {
        let outcome = try agent.run(plan("cat /proc/self/cgroup"))
        // Of a cgroup namespace of its own, whose root is where the process was when it was made.
        #expect(outcome.output.contains("0::/\n"))
    }

    @Test(
        "Mounting a disk as a file system it does not hold fails and names both",
        arguments: DiskFileSystem.allCases.filter { $0 != .ext4 && $0 != .ext3 && $0 != .ext2 })
    func anotherFileSystemIsNotOnIt(kind: DiskFileSystem) throws {
        let refusal = try #require(agent.refusal(plan("true") { $0.fileSystem = kind }))
        #expect(refusal.contains("mount the disk root-0 as \(kind.name): "), "\(refusal)")
    }

    @Test("A missing disk or unknown option is named, and the disk stays usable")
    func whatIsNotThereIsNamed() throws {
        #expect(
            agent.refusal(plan("true") { $0.serial = "root-1" })?.hasSuffix("the machine has no disk root-1") == true)
        #expect(agent.refusal(plan("true") { $0.options = ["nonsense"] })?.contains("nonsense") == true)
        // Its name is free again, and so is the disk.
        #expect(try agent.run(plan("exit 3")).code == 3)
    }

    @Test("A corrupt disk image fails to mount and is named")
    func aBrokenImage() throws {
        // The root's inode, and everything else but the superblock's own block.
        let image = try FileDescriptor.open(disk.image, .readWrite)
        try syscall(__NR_lseek, image.borrowed.argument, 4096, Int(SEEK_SET))
        try image.writeAll([UInt8](repeating: 0xff, count: 1 << 20))
        let refusal = try #require(agent.refusal(plan("true")))
        #expect(refusal.contains("mount the disk root-0 as ext4: "), "\(refusal)")
    }

    @Test("Deleting a container before its start frees its name and its disk")
    func deletedBeforeItsStart() throws {
        for _ in 0..<5 {
            let lasting = plan("while :; do sleep 1; done")
            let streams = try TestStreams(agent, takesInput: false, hasTerminal: false)
            try agent.control.call(
                .create(lasting, streams: streams.tokens, isOwned: true), timeout: HostedAgent.patience)
            try agent.control.call(.delete(container: "c", force: true), timeout: HostedAgent.patience)
            try expectNoMount()
        }
        #expect(try agent.run(plan("exit 4")).code == 4)
    }
}
