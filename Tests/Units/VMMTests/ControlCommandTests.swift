// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import ProgramArguments
import SandboxPlan
import Testing
import Virtio

@testable import VMM

/// The devices of a machine that never runs.
private func makeDevices() throws -> DeviceTable {
    var words = ["--vcpus", "1", "--memory", "67108864"]
    for flag in ["--kvm-fd", "--kernel-fd", "--console-log-fd", "--log-fd"] {
        words += [flag, String(try FileDescriptor.open("/dev/null", .readWrite).release().rawValue)]
    }
    let disk = try FileDescriptor.memory(named: "disk")
    try disk.writeAll([UInt8](repeating: 0, count: 4096))
    words += ["--disk", "fd=\(disk.release().rawValue),id=data", "--net", "id=nic0,mac=02:fc:00:00:00:00"]
    let arguments = try MachineArguments(parsing: words, requiresOpen: true)
    return try DeviceTable(arguments, memory: [], loop: DeviceLoop())
}

extension ControlCommands {
    /// What is said to a line that nothing came with.
    fileprivate func answer(_ line: String) -> String? {
        var nothing: FileDescriptor?
        return answer(line, &nothing)
    }
}

@Suite("Commands to a machine")
struct ControlCommandTests {
    @Test("Valid commands to the balloon and the disks are carried out")
    func whatIsUnderstood() throws {
        let commands = ControlCommands(devices: try makeDevices())
        for line in [
            "balloon 1048576", "balloon 0", "disk data", "disk data refresh", "disk  data  ops=10/5/1000",
            "disk data bandwidth=1048576/0/100,ops=10/5/1000", "net nic0", "net nic0 rx-ops=10/5/1000,tx-ops=1/0/1",
            "net nic0 detach",
        ] { #expect(commands.answer(line) == "ok", "\(line)") }
        #expect(commands.answer("balloon 2097152") == "ok")
        #expect(commands.devices.balloon?.metrics.first { $0.name == "target_bytes" }?.value == 2 << 20)
    }

    @Test(
        "A line that is not a command gets no answer",
        arguments: [
            "", " ", "metrics", "balloon", "balloon 1 2", "Balloon 1", "disk", "disk data refresh now", "net",
            "net nic0 detach now", "net nic0 attach mtu=1500 now",
        ])
    func whatIsNone(_ line: String) throws {
        #expect(ControlCommands(devices: try makeDevices()).answer(line) == nil)
    }

    @Test(
        "A command that cannot be carried out is answered with an error",
        arguments: [
            "balloon -1", "balloon x", "balloon 18446744073709551616", "disk none", "disk none refresh",
            "disk data ops=1", "disk data ops=0/0/1", "disk data speed=1/1/1", "disk data ops=1/1/1,ops=1/1/1",
            "net eth0", "net eth0 tx-ops=1/1/1", "net eth0 detach", "net nic0 attach", "net nic0 attach mtu=1500",
            "net nic0 attach mtu=67", "net nic0 attach x", "net nic0 mtu=1500",
        ])
    func whatFails(_ line: String) throws {
        let answer = ControlCommands(devices: try makeDevices()).answer(line)
        #expect(answer?.hasPrefix("error: ") == true, "\(answer ?? "nothing")")
    }

    @Test("An order to attach says what is wrong with what came, and takes it")
    func whatIsNoTapIsRefused() throws {
        let commands = ControlCommands(devices: try makeDevices())
        for path in ["/dev/null", "/dev/net/tun", "/proc/self/status"] {
            var file: FileDescriptor? = try? FileDescriptor.open(path)
            guard file != nil else { continue }
            let answer = commands.answer("net nic0 attach", &file)
            #expect(answer?.hasPrefix("error: network nic0: not a tap: ") == true, "\(answer ?? "nothing")")
            let isTaken = file == nil
            #expect(isTaken)
        }
        #expect(commands.answer("net nic0 attach") == "error: no descriptor came with the line")
        #expect(commands.devices.networks["nic0"]?.isLinkUp == false)
    }

    @Test("Orders to QEMU's machine that its guest would not learn of are refused")
    func whatQEMUDoesNotTell() throws {
        var arguments = DeviceArguments()
        arguments.sockets.guestCID = 3
        arguments.sockets.listener = try UnixSocket.pair().takeFirst().release().rawValue
        arguments.disks = [ServedDiskArguments()]
        let disk = try FileDescriptor.memory(named: "disk")
        try disk.writeAll([UInt8](repeating: 0, count: 4096))
        (arguments.disks[0].disk.descriptor, arguments.disks[0].disk.serial) = (disk.release().rawValue, "data")
        arguments.networks = [ServedNetworkArguments()]
        arguments.networks[0].network = NetworkArguments(slot: NetworkSlot(index: 0))
        let commands = ControlCommands(devices: try DeviceTable(arguments, loop: DeviceLoop()))
        for line in ["disk data ops=10/5/1000", "net nic0 tx-ops=1/0/1", "net nic0 detach"] {
            #expect(commands.answer(line) == "ok", "\(line)")
        }
        for line in ["balloon 1048576", "disk data refresh"] {
            #expect(commands.answer(line)?.hasPrefix("error: ") == true, "\(line)")
        }
    }
}
