import Glibc
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
