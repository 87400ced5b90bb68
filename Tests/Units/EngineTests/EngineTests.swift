// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan
import Testing

@testable import Engine

@Suite("Engine: choice, machines and processes")
struct EngineTests {
    static let machine = MachinePlan(
        kernelPath: "/k", initramfsPath: "/i", vcpuCount: 2, memoryByteCount: 512 << 20, guestCID: 3)

    static let unusable = HardwareVirtualization.unusable(cause: "no svm", cure: "buy")

    @Test("The kvm engine is chosen with hardware support and refused without it")
    func theMonitorOfOurOwnNeedsTheHardware() throws {
        #expect(try EngineChoice.make(.kvm, hardware: .usable).way == .kvm)
        #expect(try EngineChoice.make(.auto, hardware: .usable).way == .kvm)
        #expect(throws: EngineError.notUsable(cause: "no svm", cure: "buy")) {
            try EngineChoice.make(.kvm, hardware: Self.unusable)
        }
        #expect(
            "\(EngineError.notUsable(cause: "no svm", cure: "buy"))"
                == "engine \"kvm\": no svm: buy, or use \"qemu\" or \"auto\"")
    }

    @Test("Without hardware support QEMU runs with tcg, and the reason is given", arguments: [EngineKind.auto, .qemu])
    func withoutItQEMUTranslates(kind: EngineKind) throws {
        let choice = try EngineChoice.make(kind, hardware: Self.unusable)
        #expect(choice.way == .qemu(.tcg))
        #expect(choice.reason == "engine qemu with tcg: no svm")
    }

    @Test("QEMU runs with KVM where the hardware supports it")
    func qemuUsesTheHardwareWhereItIsThere() throws {
        #expect(try EngineChoice.make(.qemu, hardware: .usable).way == .qemu(.kvm))
    }

    @Test("Machines with an invalid memory size, vCPU count, CID or argument are refused")
    func aMachineNoEngineCanRunIsRefused() throws {
        try Self.machine.check()
        for (byteCount, isValid) in [(UInt64(1), false), (31 << 20, false), (32 << 20, true), (.max, false)] {
            var machine = Self.machine
            machine.memoryByteCount = byteCount
            #expect(((try? machine.check()) != nil) == isValid)
        }
        var machine = Self.machine
        machine.vcpuCount = 0
        #expect(throws: EngineError.invalidProcessorCount(0)) { try machine.check() }
        machine = Self.machine
        machine.guestCID = 2
        #expect(throws: EngineError.invalidGuestCID(2)) { try machine.check() }
        machine = Self.machine
        machine.kernelArguments = ["a=b", "x init=/bin/sh"]
        #expect(throws: EngineError.invalidKernelArgument("x init=/bin/sh")) { try machine.check() }
    }

    @Test("Disk serials are short, plain and unique, and there are at most five")
    func disksHaveNamesOfTheirOwn() throws {
        func machine(_ serials: [String]) -> MachinePlan {
            var machine = Self.machine
            machine.disks = serials.map { DiskPlan(serial: $0, descriptor: 3, isReadOnly: false) }
            return machine
        }
        try machine(["root-0", "a.b_C", "12345678901234567890"]).check()
        for bad in ["", "a,readonly", "a b", "a=b", "123456789012345678901", "\u{e9}", "a/b"] {
            #expect(throws: EngineError.invalidDiskSerial(bad)) { try machine([bad]).check() }
        }
        #expect(throws: EngineError.repeatedDiskSerial("a")) { try machine(["a", "b", "a"]).check() }
        try machine((0..<5).map { "\($0)" }).check()
        #expect(throws: EngineError.tooManyDisks(6)) { try machine((0..<6).map { "\($0)" }).check() }
    }

    @Test("At most eight network slots are planned, and with devices on the command line five devices in all")
    func networkSlotsAreBounded() throws {
        var machine = Self.machine
        for (count, isValid) in [(0, true), (8, true), (9, false), (-1, false)] {
            machine.networkSlotCount = count
            if isValid {
                try machine.check()
            } else {
                #expect(throws: EngineError.tooManyNetworkSlots(count)) { try machine.check() }
            }
        }
        machine.disks = (0..<3).map { DiskPlan(serial: "\($0)", descriptor: 3, isReadOnly: false) }
        machine.networkSlotCount = 3
        try machine.check()
        machine.deviceDiscovery = .commandLine
        let error = #expect(throws: EngineError.self) { try machine.check() }
        #expect(error == .tooManyDevices(disks: 3, networkSlots: 3))
        #expect(
            error?.description
                == "3 disks and 3 network slots: a machine of this kernel has room for 5 together")
        machine.networkSlotCount = 2
        try machine.check()
    }

    @Test("A network slot's address is of one station, locally administered, and no other slot's")
    func slotsHaveAddressesOfTheirOwn() {
        let slots = (0..<MachinePlan.networkSlotLimit).map(NetworkSlot.init)
        #expect(slots.allSatisfy { $0.hardwareAddress.count == 6 && $0.hardwareAddress[0] & 3 == 2 })
        #expect(Set(slots.map(\.hardwareAddress)).count == slots.count && Set(slots.map(\.id)).count == slots.count)
    }

    @Test("The monitor gets each disk's descriptor and options, and at most its vCPU limit")
    func theMonitorOfOurOwnIsHandedItsDisks() throws {
        let path = "/tmp/fc-engine-kernel-\(UInt32.random(in: 0 ... .max))"
        _ = try FileDescriptor.open(path, [.create, .exclusive], mode: 0o600)
        defer { unsafe _ = unlink(path) }
        var engine = KVMEngine(monitor: "/fc-vmm")
        engine.device = "/dev/null"
        var machine = Self.machine
        machine.kernelPath = path
        machine.initramfsPath = path
        var disk = DiskPlan(serial: "root-0", descriptor: 5010, isReadOnly: true)
        disk.limits.bandwidth = RateLimit(size: 1 << 20, refill: .milliseconds(100))
        machine.disks = [disk, DiskPlan(serial: "b", descriptor: 5011, isReadOnly: false)]
        let devices = MachineDevices(
            fileSystemSocket: .numbered(5000), vsockListener: .numbered(5001), vsockDirectory: .numbered(5002),
            consoleLog: .numbered(5003), control: .numbered(5005), log: .numbered(5004))
        let process = try #require(try engine.processes(for: machine, devices: devices).processes.first)
        machine.networkSlotCount = 2
        let withSlots = try #require(try engine.processes(for: machine, devices: devices).processes.first)
        #expect(
            withSlots.arguments == process.arguments + [
                "--net", "id=nic0,mac=02:fc:00:00:00:00", "--net", "id=nic1,mac=02:fc:00:00:00:01",
            ])
        machine.networkSlotCount = 0
        #expect(
            process.arguments.suffix(4)
                == ["--disk", "fd=10,id=root-0,readonly,bandwidth=1048576/0/100", "--disk", "fd=11,id=b"])
        #expect(
            process.descriptors.suffix(2) == [
                InheritedDescriptor(source: 5010, target: 10), InheritedDescriptor(source: 5011, target: 11),
            ])
        machine.vcpuCount = MachinePlan.monitorProcessorLimit + 1
        #expect(throws: EngineError.invalidProcessorCount(33)) {
            _ = try engine.processes(for: machine, devices: devices)
        }
    }

    @Test("The file server gets its shares and descriptors but no dangerous capability")
    func theFileServerGetsItsTreeAndNoMore() throws {
        let process = try FileServerProcess.make(
            executable: "/fc-fsd",
            shares: [
                .init(path: "0/rootfs", mount: .numbered(9), isFile: false, isReadOnly: false),
                .init(path: "0/hosts", mount: .numbered(10), isFile: true, isReadOnly: true),
            ], socket: .numbered(7), log: .numbered(8))
        #expect(process.mounts.map(\.destination) == ["/proc", "/shared", "/shared/0/rootfs", "/shared/0/hosts"])
        #expect(process.mounts.map(\.isReadOnly) == [true, true, false, true])
        #expect(
            process.descriptors == [
                InheritedDescriptor(source: 8, target: 2), InheritedDescriptor(source: 7, target: 3),
            ])
        #expect(process.arguments == ["--socket-fd", "3", "--directory", "/shared", "--tag", "fc-shared"])
        // No CAP_SYS_ADMIN (21), no CAP_SETPCAP (8), no CAP_KILL (5), and no CAP_DAC_READ_SEARCH (2), which opens any
        // file of the host by its handle.
        #expect(Set(process.capabilities).isDisjoint(with: [2, 5, 8, 21]))
    }
}

/// The probe, against files of the test's and against the host itself.
struct HostProbeTests {
    @Test("Only vmx or svm as a word of the flags line counts")
    func anExtensionIsAWordOfTheFlags() {
        #expect(HardwareVirtualization.hasExtension("processor\t: 0\nflags\t\t: fpu vmx sse\n"))
        #expect(HardwareVirtualization.hasExtension("flags\t\t: fpu svm"))
        #expect(!HardwareVirtualization.hasExtension("flags\t\t: fpu svm_lock\nbugs: vmx"))
        #expect(!HardwareVirtualization.hasExtension("vmx flags\t: x"))
    }

    @Test("A device that is missing or is not KVM is unusable")
    func aDeviceThatOpensIsNotEnough() throws {
        let flags = "/tmp/fc-engine-test-\(UInt32.random(in: 0 ... .max))"
        try FileDescriptor.open(flags, [.create, .writeOnly], mode: 0o600).writeAll(Array("flags : svm\n".utf8))
        defer { unsafe _ = unlink(flags) }
        let absent = HardwareVirtualization.probe(device: "/nowhere/kvm", processors: flags)
        #expect(
            absent
                == .unusable(
                    cause: "/nowhere/kvm: no such file or directory", cure: "load the module kvm_intel or kvm_amd"))
        // It opens, and is no /dev/kvm.
        guard case .unusable = HardwareVirtualization.probe(device: "/dev/null", processors: flags) else {
            Issue.record("/dev/null taken for /dev/kvm")
            return
        }
    }

    @Test("Every probed item has a state, and each lack has a cause and a cure")
    func everyItemIsThereAndSaysWhatToDo() {
        let items = HostProbe.items(
            HostParts(
                qemu: "/nowhere/qemu", guestKernel: "/nowhere/vmlinux", guestInitramfs: "/etc",
                programs: ["/nowhere/fc-jailer", "/bin/sh"]))
        for item in items {
            switch item.state {
            case .available(let detail): #expect(!detail.isEmpty, "\(item.name)")
            case .lacking(let cause, let cure), .missing(let cause, let cure):
                #expect(!cause.isEmpty && !cure.isEmpty, "\(item.name)")
            }
        }
        let states = Dictionary(uniqueKeysWithValues: items.map { ($0.name, $0.isSatisfied) })
        for name in ["qemu", "guest kernel", "guest initramfs", "fc-jailer"] {
            #expect(states[name] == false, "\(name)")
        }
        for name in ["sh", "namespaces", "clone3"] { #expect(states[name] == true, "\(name)") }
        #expect(states.keys.contains("hardware virtualization"))
        #expect(states.keys.contains("cgroups"))
    }

    @Test("A program that fails, is missing or prints without end has no output")
    func aProgramThatFailsOrNeverEndsHasNoOutput() {
        #expect(HostProbe.output(of: "/bin/echo", ["a", "b"]) == "a b\n")
        #expect(HostProbe.output(of: "/bin/false", []) == nil)
        #expect(HostProbe.output(of: "/nowhere/x", []) == nil)
        #expect(HostProbe.output(of: "/usr/bin/yes", []) == nil)
    }
}

extension BorrowedDescriptor {
    /// A number that nothing is open at: plans are made of numbers.
    static func numbered(_ number: Int32) -> BorrowedDescriptor { BorrowedDescriptor(rawValue: number) }
}
