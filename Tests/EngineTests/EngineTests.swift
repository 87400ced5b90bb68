import Glibc
import KVMEngine
import Linux
import SandboxPlan
import Testing

@testable import Engine

struct EngineTests {
    static let machine = MachinePlan(
        kernelPath: "/k", initramfsPath: "/i", vcpuCount: 2, memoryByteCount: 512 << 20, guestCID: 3)

    static let unusable = HardwareVirtualization.unusable(cause: "no svm", cure: "buy")

    @Test func theMonitorOfOurOwnNeedsTheHardware() throws {
        #expect(try EngineChoice.make(.kvm, hardware: .usable).way == .kvm)
        #expect(try EngineChoice.make(.auto, hardware: .usable).way == .kvm)
        #expect(throws: EngineError.notUsable(cause: "no svm", cure: "buy")) {
            try EngineChoice.make(.kvm, hardware: Self.unusable)
        }
        #expect(
            "\(EngineError.notUsable(cause: "no svm", cure: "buy"))"
                == "engine \"kvm\": no svm: buy, or use \"qemu\" or \"auto\"")
    }

    @Test(arguments: [EngineKind.auto, .qemu])
    func withoutItQEMUTranslates(kind: EngineKind) throws {
        let choice = try EngineChoice.make(kind, hardware: Self.unusable)
        #expect(choice.way == .qemu(.tcg))
        #expect(choice.reason == "engine qemu with tcg: no svm")
    }

    @Test func qemuUsesTheHardwareWhereItIsThere() throws {
        #expect(try EngineChoice.make(.qemu, hardware: .usable).way == .qemu(.kvm))
    }

    @Test func aMachineNoEngineCanRunIsRefused() throws {
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

    @Test func disksHaveNamesOfTheirOwn() throws {
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

    @Test func theMonitorOfOurOwnIsHandedItsDisks() throws {
        let path = "/tmp/fc-engine-kernel-\(UInt32.random(in: 0 ... .max))"
        _ = try FileDescriptor.open(path, [.create, .exclusive], mode: 0o600)
        defer { unsafe _ = unlink(path) }
        var engine = KVMEngine(monitor: "/fc-vmm")
        engine.device = "/dev/null"
        var machine = Self.machine
        machine.kernelPath = path
        machine.initramfsPath = path
        var disk = DiskPlan(serial: "root-0", descriptor: 5010, isReadOnly: true)
        disk.bandwidth = RatePlan(size: 1 << 20, refillMilliseconds: 100)
        machine.disks = [disk, DiskPlan(serial: "b", descriptor: 5011, isReadOnly: false)]
        let devices = MachineDevices(
            fileSystemSocket: 5000, vsockListener: 5001, vsockDirectory: 5002, consoleLog: 5003, control: 5005,
            log: 5004)
        let process = try #require(try engine.processes(for: machine, devices: devices).processes.first)
        #expect(
            process.arguments.suffix(4)
                == ["--disk", "fd=11,id=root-0,readonly,bandwidth=1048576/0/100", "--disk", "fd=12,id=b"])
        #expect(
            process.descriptors.suffix(2) == [
                HandedDescriptor(here: 5010, there: 11), HandedDescriptor(here: 5011, there: 12),
            ])
        machine.vcpuCount = MachinePlan.monitorProcessorLimit + 1
        #expect(throws: EngineError.invalidProcessorCount(33)) {
            _ = try engine.processes(for: machine, devices: devices)
        }
    }

    @Test func theFileServerGetsItsTreeAndNoMore() {
        let process = FileServerProcess.make(
            executable: "/fc-fsd",
            shares: [
                .init(path: "0/rootfs", mount: 9, isFile: false, isReadOnly: false),
                .init(path: "0/hosts", mount: 10, isFile: true, isReadOnly: true),
            ], socket: 7, log: 8)
        #expect(process.mounts.map(\.destination) == ["/proc", "/shared", "/shared/0/rootfs", "/shared/0/hosts"])
        #expect(process.mounts.map(\.isReadOnly) == [true, true, false, true])
        #expect(process.descriptors == [HandedDescriptor(here: 8, there: 2), HandedDescriptor(here: 7, there: 3)])
        #expect(process.arguments == ["--socket-fd", "3", "--directory", "/shared", "--tag", "fc-shared"])
        // No CAP_SYS_ADMIN (21), no CAP_SETPCAP (8), no CAP_KILL (5).
        #expect(Set(process.capabilities).isDisjoint(with: [5, 8, 21]))
    }
}

/// The probe, against files of the test's and against the host itself.
struct HostProbeTests {
    @Test func anExtensionIsAWordOfTheFlags() {
        #expect(HardwareVirtualization.hasExtension("processor\t: 0\nflags\t\t: fpu vmx sse\n"))
        #expect(HardwareVirtualization.hasExtension("flags\t\t: fpu svm"))
        #expect(!HardwareVirtualization.hasExtension("flags\t\t: fpu svm_lock\nbugs: vmx"))
        #expect(!HardwareVirtualization.hasExtension("vmx flags\t: x"))
    }

    @Test func aDeviceThatOpensIsNotEnough() throws {
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

    @Test func everyItemIsThereAndSaysWhatToDo() {
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

    @Test func aProgramThatHangsOrFailsHasNoOutput() {
        #expect(HostProbe.output(of: "/bin/echo", ["a", "b"]) == "a b\n")
        #expect(HostProbe.output(of: "/bin/false", []) == nil)
        #expect(HostProbe.output(of: "/nowhere/x", []) == nil)
    }
}
