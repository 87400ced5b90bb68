// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import Linux
import Testing

@testable import ProgramArguments

/// Texts that a command line must not be taken apart by.
private let hostile = [
    "", " ", "\n", "a\nb", "=", ",", "a=b", "a,readonly", "--log-fd", "--", "-", "\u{1b}[2J", "\u{e9}",
    String(repeating: "x", count: 100_000),
]

@Suite("What is written is what is read")
struct RoundTripTests {
    private static var machine: MachineArguments {
        var arguments = MachineArguments()
        (arguments.kvm, arguments.kernel, arguments.consoleLog, arguments.log) = (3, 4, 8, 2)
        (arguments.vcpuCount, arguments.memoryByteCount) = (2, 64 << 20)
        return arguments
    }

    private static func disk(_ id: String, _ descriptor: Int32 = 20) -> DiskPlan {
        var disk = DiskPlan()
        (disk.serial, disk.descriptor) = (id, descriptor)
        return disk
    }

    private func read(_ arguments: MachineArguments) throws(ArgumentError) -> MachineArguments {
        try MachineArguments(parsing: arguments.arguments())
    }

    @Test("The arguments of a machine with every device are read back as they were written")
    func machine() throws {
        var arguments = Self.machine
        #expect(try read(arguments) == arguments)
        (arguments.initramfs, arguments.control) = (5, 9)
        var sockets = SocketArguments()
        (sockets.guestCID, sockets.listener, sockets.directory) = (0xffff_fffe, 7, "/a b=,c")
        arguments.sockets = sockets
        var share = ShareArguments()
        (share.socket, share.tag) = (6, "--fs-tag")
        arguments.share = share
        var disk = Self.disk("a=b")
        disk.isReadOnly = true
        disk.limits.bandwidth = RateLimit(size: .max, burst: .max, refill: .seconds(86_400))
        disk.limits.operations = RateLimit(size: 1, burst: 0, refill: .milliseconds(1))
        arguments.disks = [disk, Self.disk("b", 21)]
        var network = NetworkArguments()
        (network.descriptor, network.id, network.mtu) = (22, "eth0", 68)
        network.address = [0x52, 0x54, 0, 0x0a, 0xff, 1]
        network.limits.receive.bandwidth = RateLimit(size: 7, burst: 8, refill: .milliseconds(9))
        arguments.networks = [network, NetworkArguments(slot: NetworkSlot(index: 7))]
        #expect(try read(arguments) == arguments)
    }

    @Test("The arguments of the devices mode are read back as they were written")
    func devices() throws {
        var arguments = DeviceArguments()
        arguments.sockets.guestCID = 3
        (arguments.sockets.listener, arguments.sockets.directory) = (4, "/vsock")
        (arguments.vsockVhost, arguments.console, arguments.consoleLog, arguments.control) = (3, 5, 6, 7)
        arguments.log = 2
        var disk = ServedDiskArguments()
        (disk.disk, disk.vhost) = (Self.disk("a"), 21)
        arguments.disks = [disk]
        for index in 0..<2 {
            var network = ServedNetworkArguments()
            (network.network, network.listener) = (NetworkArguments(slot: NetworkSlot(index: index)), Int32(30 + index))
            arguments.networks.append(network)
        }
        #expect(try DeviceArguments(parsing: arguments.arguments()) == arguments)
    }

    @Test("Texts with separators, flags and control characters are read back as they were written", arguments: hostile)
    func texts(_ text: String) throws {
        var machine = Self.machine
        machine.commandLine = text
        #expect(try read(machine) == machine)
        var server = FileServerArguments()
        (server.socket, server.directory) = (.path(text), .path(text))
        #expect(try FileServerArguments(parsing: server.arguments()) == server)
        var proxy = ProxyArguments()
        (proxy.container, proxy.exec, proxy.control, proxy.output) = (text, text, 100, 90)
        let (order, descriptors) = try proxy.order()
        #expect(descriptors == [100, 90])
        let received = try #require(ProxyOrder(order.bytes))
        #expect(try ProxyArguments(parsing: received.words, descriptors: descriptors) == proxy)
    }

    @Test("An id that would be read as two fields is not written")
    func fields() {
        for id in hostile + ["a\0b"] where id != "=" && id != "a=b" && !id.hasPrefix("-") {
            var arguments = Self.machine
            arguments.disks = [Self.disk(id)]
            #expect(throws: ArgumentError.badValue(flag: "--disk", value: id)) { try arguments.arguments() }
        }
    }

    @Test("Arguments that the reader would refuse are not written")
    func invalid() {
        func refused(_ flag: String, _ change: (inout MachineArguments) -> Void) {
            var arguments = Self.machine
            change(&arguments)
            do throws(ArgumentError) {
                _ = try arguments.arguments()
                Issue.record("\(flag): written")
            } catch {
                #expect("\(error)".hasPrefix("\(flag): "), "\(error)")
            }
        }
        refused("--vcpus") { $0.vcpuCount = 33 }
        refused("--vcpus") { $0.vcpuCount = -1 }
        refused("--memory") { $0.memoryByteCount = 64 << 20 + 1 }
        refused("--kvm-fd") { $0.kvm = -1 }
        refused("--log-fd") { $0.log = 4 }
        refused("--command-line") { $0.commandLine = "a\0b" }
        refused("--fs-tag") {
            var share = ShareArguments()
            share.socket = 30
            $0.share = share
        }
        refused("--vsock-directory") {
            var sockets = SocketArguments()
            (sockets.listener, sockets.guestCID, sockets.directory) = (30, 3, "vsock")
            $0.sockets = sockets
        }
        refused("--disk") { $0.disks = [Self.disk("a"), Self.disk("b")] }
        for refill in [Duration.zero, .nanoseconds(1_500_000), .seconds(86_401), .seconds(Int64.max), .seconds(-1)] {
            refused("--disk") {
                var disk = Self.disk("a")
                disk.limits.bandwidth = RateLimit(size: 1, refill: refill)
                $0.disks = [disk]
            }
        }
        refused("--net") {
            var network = NetworkArguments()
            (network.descriptor, network.id, network.address) = (30, "n", [0x53, 0, 0, 0, 0, 1])
            $0.networks = [network]
        }
    }

    @Test("A flag of a group is unknown without the flag that opens the group")
    func groups() throws {
        let words = try Self.machine.arguments()
        for extra in [["--guest-cid", "3"], ["--vsock-directory", "/v"], ["--fs-tag", "t"]] {
            #expect(throws: ArgumentError.unknownFlag(extra[0])) { try MachineArguments(parsing: words + extra) }
        }
    }
}
