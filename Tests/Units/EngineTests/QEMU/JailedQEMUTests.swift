// SPDX-License-Identifier: Apache-2.0
import Glibc
import Jailer
import Linux
import SandboxPlan
import Testing

@testable import Engine

/// Whether the jail's mounts are what QEMU needs: the real program, started by the real fc-jailer.
@Suite(.enabled(if: JailedQEMU.obstacle == nil, JailedQEMU.obstacle))
struct JailedQEMUTests {
    @Test("QEMU starts in its jail and lacks nothing but a valid kernel", arguments: DeviceDiscovery.allCases)
    func qemuStartsAndComplainsOfItsKernelOnly(discovery: DeviceDiscovery) throws {
        let kernel = "/tmp/fc-qemu-test-\(getpid())-\(discovery)"
        try FileDescriptor.open(kernel, [.create, .writeOnly], mode: 0o644).writeAll(Array("no kernel".utf8))
        defer { unsafe _ = unlink(kernel) }
        let log = try FileDescriptor.pipe()
        let lifeline = try FileDescriptor.pipe()
        let status = try FileDescriptor.pipe()
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let console = try UnixSocket.pair()

        let engine = QEMUEngine(
            installation: QEMUInstallation(executable: JailedQEMU.qemu), accelerator: .tcg, monitor: "/nowhere/fc-vmm")
        var machine = MachinePlan(
            kernelPath: kernel, initramfsPath: kernel, vcpuCount: 1, memoryByteCount: 64 << 20, guestCID: 3)
        machine.deviceDiscovery = discovery
        let devices = MachineDevices(
            fileSystemSocket: null.borrowed, vsockListener: null.borrowed, vsockDirectory: null.borrowed,
            consoleLog: null.borrowed, control: null.borrowed, log: log.writer.borrowed)
        var process = engine.qemuProcess(
            machine, devices, QEMUEngine.Channels(vsock: null.borrowed, console: console.second.borrowed))
        // Without the two devices whose back-ends are not there: what is left is the machine.
        process.arguments = Self.without(["vsock", "fs"], process.arguments)
        var plan = JailPlan(id: "test", lifeline: lifeline.reader.rawValue, status: status.writer.rawValue)
        plan.processes = [process]
        var descriptors: [Int32: BorrowedDescriptor] = [0: null.borrowed, 1: null.borrowed, 2: null.borrowed]
        for number in plan.inheritedDescriptors { descriptors[number] = BorrowedDescriptor(rawValue: number) }
        let pid = try Process.spawn(JailedQEMU.jailer, plan.arguments, descriptors: descriptors)
        #expect(try Process.wait(for: pid)?.status == .exited(code: 0))

        let reader = log.takeReader()
        let text = String(decoding: try reader.readAll(limit: 1 << 16), as: UTF8.self)
        #expect(text.contains("kernel"), "\(text)")
        for missing in ["firmware", "rom", "module", "qboot"] { #expect(!text.contains(missing), "\(text)") }
    }

    /// The words without the options that name one of `chardevs`.
    static func without(_ chardevs: [String], _ words: [String]) -> [String] {
        var result: [String] = []
        for word in words {
            if chardevs.contains(where: { word.contains("chardev=\($0)") || word.contains("id=\($0),") }) {
                result.removeLast()
            } else {
                result.append(word)
            }
        }
        return result
    }
}

enum JailedQEMU {
    static let qemu = "/usr/bin/qemu-system-x86_64"

    /// Beside the tests' own bundle, whose path the test runner is given.
    static var jailer: String {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? ""
        return bundle.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/fc-jailer"
    }

    /// Why it cannot be started here; nil where it can.
    static let obstacle: Comment? =
        if getuid() != 0 {
            "needs root"
        } else if unsafe access(qemu, X_OK) != 0 {
            "needs the package qemu-system-x86"
        } else if (try? Mount.copy("/", recursive: false).release()) == nil {
            "needs CAP_SYS_ADMIN"
        } else {
            nil
        }
}
