// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan
import Testing

@testable import Engine

@Suite("Engine: the command line of QEMU") struct CommandLineTests {
    static func engine(_ accelerator: EngineChoice.Accelerator = .tcg) -> QEMUEngine {
        QEMUEngine(
            installation: QEMUInstallation(executable: "/usr/bin/qemu-system-x86_64"), accelerator: accelerator,
            monitor: "/fc-vmm")
    }

    static let machine = MachinePlan(
        kernelPath: "/img/a,b", initramfsPath: "/img/i", vcpuCount: 2, memoryByteCount: 768 << 20, guestCID: 3)
    static let devices = MachineDevices(
        fileSystemSocket: .numbered(5000), vsockListener: .numbered(5001), vsockDirectory: .numbered(5002),
        consoleLog: .numbered(5003), control: .numbered(5005), log: .numbered(5004))

    /// What follows `word`, each time it stands there.
    func values(of word: String, in words: [String]) -> [String] {
        zip(words, words.dropFirst()).filter { $0.0 == word }.map(\.1)
    }

    @Test(
        "A comma in an option's value is doubled, so that it starts no key",
        arguments: [
            ("", ""), ("a", "a"), (",", ",,"), ("a,readonly=off", "a,,readonly=off"), ("a,,b", "a,,,,b"),
            ("a=b", "a=b"),
        ])
    func aCommaStartsNoKey(value: String, escaped: String) {
        #expect(QEMUOption("device", "x", ["id": value]).words == ["-device", "x,id=\(escaped)"])
        #expect(QEMUOption("serial", value).words == ["-serial", escaped])
    }

    @Test("A machine has a free-page-reporting balloon only where the plan asks for one")
    func aMachineGivesMemoryBackWhereItIsAsked() {
        var machine = Self.machine
        #expect(!Self.engine().arguments(for: machine).contains { $0.contains("balloon") })
        machine.reportsFreeMemory = true
        let words = Self.engine().arguments(for: machine)
        #expect(
            values(of: "-device", in: words).contains(
                "virtio-balloon-pci,free-page-reporting=on,deflate-on-oom=on"))
        machine.deviceDiscovery = .commandLine
        #expect(Self.engine().arguments(for: machine).contains { $0.hasPrefix("virtio-balloon-device,") })
    }

    @Test("The command line has the plan's processors, memory, devices and accelerator")
    func theMachineIsThePlans() {
        let words = Self.engine().arguments(for: Self.machine)
        #expect(values(of: "-smp", in: words) == ["2"])
        #expect(values(of: "-m", in: words) == ["768M"])
        #expect(values(of: "-object", in: words) == ["memory-backend-memfd,id=ram,size=768M,share=on"])
        #expect(values(of: "-accel", in: words) == ["tcg,thread=multi,tb-size=256"])
        #expect(
            values(of: "-device", in: words) == [
                "vhost-user-vsock-pci,chardev=vsock", "vhost-user-fs-pci,chardev=fs,tag=fc-shared,queue-size=1024",
            ])
        #expect(
            values(of: "-chardev", in: words) == [
                "socket,id=vsock,fd=3", "socket,id=fs,fd=4", "socket,id=console,fd=5",
            ])
        #expect(values(of: "-kernel", in: words) == ["/vmlinux"])
        #expect(words.contains("-no-reboot") && words.contains("-nodefaults"))
        #expect(
            values(of: "-sandbox", in: words)
                == ["on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"])
        #expect(values(of: "-accel", in: Self.engine(.kvm).arguments(for: Self.machine)) == ["kvm"])
    }

    @Test("Device discovery by command line selects the microvm machine")
    func aKernelThatNeedsNoFirmwareGetsAMicroVM() {
        var machine = Self.machine
        #expect(values(of: "-machine", in: Self.engine().arguments(for: machine)).first?.hasPrefix("q35,") == true)
        machine.deviceDiscovery = .commandLine
        let words = Self.engine().arguments(for: machine)
        #expect(values(of: "-machine", in: words).count == 1)
        #expect(values(of: "-machine", in: words).first?.hasPrefix("microvm,acpi=off,") == true)
        #expect(
            values(of: "-device", in: words) == [
                "vhost-user-vsock-device,chardev=vsock",
                "vhost-user-fs-device,chardev=fs,tag=fc-shared,queue-size=1024",
            ])
        #expect(Self.engine().kernelArguments(for: machine).contains("reboot=triple"))
        #expect(Self.engine(.tcg).kernelArguments(for: machine).contains("no_timer_check"))
        #expect(!Self.engine(.kvm).kernelArguments(for: machine).contains("no_timer_check"))
        #expect(Self.engine(.kvm).kernelArguments(for: machine).contains("reboot=triple"))
        machine.deviceDiscovery = .firmware
        #expect(!Self.engine().kernelArguments(for: machine).contains("reboot=triple"))
    }

    @Test(
        "The host's TSC frequency is taken only where its clock relies on the TSC",
        arguments: [
            ("tsc\n", "processor\t: 0\nbogomips\t: 5192.26\n", 2_596_130),
            ("kvm-clock\n", "bogomips : 4400.00", 2_200_000), ("hpet\n", "bogomips\t: 5192.26\n", nil),
            ("tsc", "", nil),
            ("tsc", "bogomips\t: fast", nil), ("tsc", "bogomips\t: 1e300", nil), ("tsc", "bogomips\t: nan", nil),
            ("tsc", "bogomips\t: -1", nil), ("", "", nil),
        ])
    func theHostsCounterIsBelievedWhereTheHostDoes(clock: String, processors: String, kilohertz: Int?) {
        #expect(HostTimestampCounter.kilohertz(clock: clock, processors: processors) == kilohertz)
    }

    @Test("The kernel command line stays a single word, whatever its arguments")
    func theGuestsArgumentsStayOneWord() {
        var machine = Self.machine
        machine.kernelArguments = ["a=1,2", "-device", "x"]
        let words = Self.engine().arguments(for: machine)
        #expect(words.last?.hasPrefix("console=ttyS0 quiet panic=-1 ") == true)
        #expect(words.last?.hasSuffix(" a=1,2 -device x") == true)
        #expect(values(of: "-append", in: words).count == 1)
    }

    @Test("Kernel arguments for emulation are given under TCG only")
    func whatOnlyEmulationBearsIsLeftToIt() {
        var machine = Self.machine
        #expect(Self.engine(.tcg).kernelArguments(for: machine).contains("mitigations=off"))
        #expect(!Self.engine(.kvm).kernelArguments(for: machine).contains("mitigations=off"))
        #expect(!Self.engine(.tcg).kernelArguments(for: machine).contains("nolapic_timer"))
        machine.vcpuCount = 1
        #expect(Self.engine(.tcg).kernelArguments(for: machine).contains("nolapic_timer"))
    }

    @Test("Each program gets its own descriptors, mounts and channels, without capabilities")
    func eachProgramGetsItsDescriptors() throws {
        let started = try Self.engine().processes(for: Self.machine, devices: Self.devices)
        #expect(started.processes.map(\.name) == ["fc-vmm", "qemu"])
        let monitor = started.processes[0]
        let qemu = started.processes[1]
        let fromCaller = (monitor.descriptors + qemu.descriptors).filter { (5000...5005).contains($0.source) }
        #expect(
            fromCaller == [
                InheritedDescriptor(source: 5004, target: 2), InheritedDescriptor(source: 5001, target: 4),
                InheritedDescriptor(source: 5003, target: 6), InheritedDescriptor(source: 5005, target: 7),
                InheritedDescriptor(source: 5004, target: 1), InheritedDescriptor(source: 5004, target: 2),
                InheritedDescriptor(source: 5000, target: 4),
            ])
        // The directory of the host's ports is a mount in the jail, not a descriptor that leads out of it.
        #expect(
            monitor.mounts.contains(
                JailMount(
                    source: .detached(descriptor: 5002, isFile: false), destination: MachineDevices.vsockPath,
                    isReadOnly: true)))
        // The channels between the two: open, and no number twice.
        let channels = (monitor.descriptors + qemu.descriptors).map(\.source).filter { !(5000...5005).contains($0) }
        #expect(Set(channels).count == 4 && channels.count == 4)
        #expect(monitor.capabilities.isEmpty && qemu.capabilities.isEmpty)
        #expect(qemu.uid == 65534 && qemu.gid == 65534)
        #expect(!qemu.mounts.contains { !$0.isReadOnly })
        #expect(qemu.mounts.contains { $0.source == .host(path: "/img/a,b") && $0.destination == "/vmlinux" })
    }

    @Test("A disk goes to fc-vmm, and QEMU gets only a vhost-user socket to it")
    func aDiskIsServedByTheMonitor() throws {
        var machine = Self.machine
        var root = DiskPlan(serial: "root-0", descriptor: 5010, isReadOnly: true)
        root.limits.operations = RateLimit(size: 10, burst: 5, refill: .seconds(1))
        machine.disks = [root, DiskPlan(serial: "data", descriptor: 5011, isReadOnly: false)]
        let started = try Self.engine().processes(for: machine, devices: Self.devices)
        let monitor = started.processes[0]
        let qemu = started.processes[1]
        #expect(
            values(of: "--disk", in: monitor.arguments) == [
                "fd=8,id=root-0,readonly,ops=10/5/1000,vhost-fd=9", "fd=10,id=data,vhost-fd=11",
            ])
        #expect(
            values(of: "-device", in: qemu.arguments).suffix(2) == [
                "vhost-user-blk-pci,chardev=disk0,num-queues=1,queue-size=256,config-wce=off",
                "vhost-user-blk-pci,chardev=disk1,num-queues=1,queue-size=256,config-wce=off",
            ])
        #expect(
            values(of: "-chardev", in: qemu.arguments).suffix(2) == ["socket,id=disk0,fd=6", "socket,id=disk1,fd=7"])
        // QEMU has no disk, only what leads to it.
        #expect(monitor.descriptors.filter { $0.source >= 5010 && $0.source < 5020 }.map(\.target) == [8, 10])
        #expect(!qemu.descriptors.contains { $0.source == 5010 || $0.source == 5011 })
        #expect(qemu.descriptors.map(\.target) == [1, 2, 3, 4, 5, 6, 7])
        machine.deviceDiscovery = .commandLine
        #expect(
            values(of: "-device", in: Self.engine().arguments(for: machine)).last?
                .hasPrefix("vhost-user-blk,chardev=disk1,") == true)
    }

    @Test("A network slot is fc-vmm's, and QEMU reaches it by a socket in a directory with nothing else")
    func aNetworkSlotIsServedByTheMonitor() throws {
        var machine = Self.machine
        machine.disks = [DiskPlan(serial: "root-0", descriptor: 5010, isReadOnly: true)]
        machine.networkSlotCount = 2
        let started = try Self.engine().processes(for: machine, devices: Self.devices)
        let (monitor, qemu) = (started.processes[0], started.processes[1])
        #expect(
            values(of: "--net", in: monitor.arguments) == [
                "id=nic0,mac=02:fc:00:00:00:00,vhost-listen-fd=10", "id=nic1,mac=02:fc:00:00:00:01,vhost-listen-fd=11",
            ])
        let without =
            "ctrl_vq=off,ctrl_rx=off,ctrl_vlan=off,ctrl_rx_extra=off,ctrl_mac_addr=off,ctrl_guest_offloads=off,"
            + "guest_announce=off,mq=off"
        #expect(
            values(of: "-device", in: qemu.arguments).suffix(2)
                == (0...1).map {
                    "virtio-net-pci,netdev=nic\($0),mac=02:fc:00:00:00:0\($0),\(without),romfile=,disable-legacy=on,vectors=0"
                })
        #expect(
            values(of: "-netdev", in: qemu.arguments) == [
                "vhost-user,id=nic0,chardev=nic0", "vhost-user,id=nic1,chardev=nic1",
            ])
        #expect(
            values(of: "-chardev", in: qemu.arguments).suffix(2) == [
                "socket,id=nic0,path=/networks/nic0", "socket,id=nic1,path=/networks/nic1",
            ])
        // With KVM there is no reason to go without message signalled interrupts.
        #expect(Self.engine(.kvm).arguments(for: machine).contains { $0.hasSuffix(",romfile=,disable-legacy=on") })
        machine.deviceDiscovery = .commandLine
        #expect(
            values(of: "-device", in: Self.engine().arguments(for: machine)).last
                == "virtio-net-device,netdev=nic1,mac=02:fc:00:00:00:01,\(without)")
        // No descriptor more than without slots, and the directory is read-only.
        #expect(qemu.descriptors.map(\.target) == [1, 2, 3, 4, 5, 6])
        let mount = try #require(qemu.mounts.first { $0.destination == "/networks" })
        #expect(mount.isReadOnly)
        guard case .detached(let directory, isFile: false) = mount.source else {
            Issue.record("not a detached mount")
            return
        }
        let open = try FileDescriptor.open("/proc/self/fd/\(directory)/.", [.directory])
        #expect(try Directory.entries(of: open.borrowed).map(\.name).sorted() == ["nic0", "nic1"])
        _ = started.processes
    }

    @Test("A machine without network slots has no directory for them")
    func withoutSlotsThereIsNoDirectory() throws {
        let started = try Self.engine().processes(for: Self.machine, devices: Self.devices)
        #expect(!started.processes[1].mounts.contains { $0.destination == "/networks" })
        #expect(!started.processes[1].arguments.contains("-netdev"))
    }

    @Test("A machine with 256 processors is refused")
    func aMachineThatCannotBeIsRefused() {
        var machine = Self.machine
        machine.vcpuCount = 256
        #expect(throws: EngineError.invalidProcessorCount(256)) {
            _ = try Self.engine().processes(for: machine, devices: Self.devices)
        }
    }

    @Test("A kernel that QEMU's user cannot read is named in the error")
    func aKernelThatOnlyItsOwnerReadsIsNamed() throws {
        let path = "/tmp/fc-qemu-kernel-\(UInt32.random(in: 0 ... .max))"
        _ = try FileDescriptor.open(path, [.create, .exclusive], mode: 0o600)
        defer { unsafe _ = unlink(path) }
        var machine = Self.machine
        machine.kernelPath = path
        #expect(throws: EngineError.notReadable(path: path, uid: 65534)) {
            _ = try Self.engine().processes(for: machine, devices: Self.devices)
        }
    }
}
