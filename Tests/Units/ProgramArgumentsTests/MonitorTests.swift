// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import Virtio
import Linux
import Testing

@testable import ProgramArguments

/// Open descriptors, to be named in words; what is parsed must be open.
private final class Descriptors {
    /// It stays open: closed, its number could be another's before a test is done with it, or nobody's.
    func next() throws -> String { String(try FileDescriptor.open("/dev/null", .readWrite).release().rawValue) }

    func devices() throws -> [String] {
        var words = ["devices", "--guest-cid", "3", "--vsock-directory", "/vsock"]
        for flag in [
            "--vsock-vhost-fd", "--vsock-listen-fd", "--console-fd", "--console-log-fd", "--control-fd", "--log-fd",
        ] { words += [flag, try next()] }
        return words
    }

    func machine() throws -> [String] {
        var words = ["machine", "--vcpus", "2", "--memory", "67108864"]
        for flag in ["--kvm-fd", "--kernel-fd", "--console-log-fd", "--log-fd"] { words += [flag, try next()] }
        return words
    }
}

private func machine(_ words: [String]) throws -> MachineArguments {
    guard case .machine(let arguments) = try MonitorArguments(parsing: words) else {
        throw ArgumentError.mode("", known: [])
    }
    return arguments
}

@Suite("The command line of fc-vmm")
struct MonitorTests {
    @Test("Each flag of the devices mode reaches its field")
    func everyFlagHasItsPlace() throws {
        let words = try Descriptors().devices()
        guard case .devices(let arguments) = try MonitorArguments(parsing: words) else {
            throw ArgumentError.mode("", known: [])
        }
        let numbers = [
            arguments.vsockVhost, arguments.sockets.listener, arguments.console, arguments.consoleLog,
            arguments.control,
            arguments.log,
        ]
        #expect(arguments.sockets.guestCID == 3)
        #expect(arguments.sockets.directory == "/vsock")
        #expect(numbers.map(String.init) == stride(from: 6, to: words.count, by: 2).map { words[$0] })
    }

    @Test("A missing mandatory flag is named in the error")
    func everyFlagIsNeeded() throws {
        let descriptors = Descriptors()
        for good in [try descriptors.devices(), try descriptors.machine()] {
            for index in stride(from: 1, to: good.count, by: 2) {
                var words = good
                words.removeSubrange(index..<(index + 2))
                #expect(throws: ArgumentError.missingFlag(good[index])) { try MonitorArguments(parsing: words) }
            }
        }
    }

    @Test("Unknown modes, wrong flags and bad descriptors are named in the error")
    func mistakes() throws {
        let good = try Descriptors().devices()
        #expect(throws: ArgumentError.mode("", known: ["devices", "machine"])) { try MonitorArguments(parsing: []) }
        #expect(throws: ArgumentError.mode("--help", known: ["devices", "machine"])) {
            try MonitorArguments(parsing: ["--help"])
        }
        #expect(throws: ArgumentError.unknownFlag("--help")) { try MonitorArguments(parsing: good + ["--help", "1"]) }
        #expect(throws: ArgumentError.unknownFlag("help")) { try MonitorArguments(parsing: ["devices", "help"]) }
        #expect(throws: ArgumentError.missingValue(flag: "--log-fd")) {
            try MonitorArguments(parsing: ["devices", "--log-fd"])
        }
        #expect(throws: ArgumentError.repeatedFlag("--log-fd")) {
            try MonitorArguments(parsing: good + ["--log-fd", "1"])
        }
        let shared = try #require(Int32(good[good.count - 3]))
        #expect(throws: ArgumentError.sharedDescriptor(flag: "--log-fd", number: shared)) {
            try MonitorArguments(parsing: good.dropLast() + ["\(shared)"])
        }
        #expect(throws: ArgumentError.descriptor(flag: "--log-fd", number: 9000, .badFileDescriptor)) {
            try MonitorArguments(parsing: good.dropLast() + ["9000"])
        }
    }

    @Test(
        "A value that is not a number is refused by its flag",
        arguments: ["", "-1", "+1", "0x1", "1 ", "2147483648", "99999999999999999999"])
    func numbers(_ value: String) throws {
        let good = try Descriptors().devices()
        #expect(throws: ArgumentError.badNumber(flag: "--log-fd", value: value)) {
            try MonitorArguments(parsing: good.dropLast() + [value])
        }
    }

    @Test(
        "A context identifier that no guest can have is refused",
        arguments: ["0", "1", "2", "4294967295", "18446744073709551615"])
    func contextIDs(_ number: String) throws {
        var words = try Descriptors().devices()
        words[2] = number
        #expect(throws: ArgumentError.badNumber(flag: "--guest-cid", value: number)) {
            try MonitorArguments(parsing: words)
        }
    }

    @Test("A machine may lack sockets, share, control, disks and networks")
    func aMachineOfOnlyWhatItNeeds() throws {
        let arguments = try machine(Descriptors().machine())
        #expect(arguments.vcpuCount == 2)
        #expect(arguments.memoryByteCount == 64 << 20)
        #expect(arguments.sockets == nil && arguments.share == nil && arguments.control == nil)
        #expect(arguments.disks.isEmpty && arguments.networks.isEmpty)
    }

    @Test(
        "A processor count or memory size out of range is refused",
        arguments: [("--vcpus", "0"), ("--vcpus", "33"), ("--memory", "33554431"), ("--memory", "67108865")])
    func sizes(_ flag: String, _ value: String) throws {
        var words = try Descriptors().machine()
        words[try #require(words.firstIndex(of: flag)) + 1] = value
        #expect(throws: ArgumentError.badNumber(flag: flag, value: value)) { try MonitorArguments(parsing: words) }
    }

    @Test("Disks and networks are parsed with their limits")
    func disksAndNetworks() throws {
        let descriptors = Descriptors()
        let disk = try descriptors.next()
        let tap = try descriptors.next()
        let arguments = try machine(
            descriptors.machine() + [
                "--disk", "fd=\(disk),id=data,readonly,bandwidth=1048576/0/100,ops=10/5/1000",
                "--net", "fd=\(tap),id=eth0,mac=52:54:00:12:34:56,mtu=1400,tx-ops=7/0/1",
            ])
        let data = try #require(arguments.disks.first)
        #expect(data.serial == "data" && data.isReadOnly && String(data.descriptor) == disk)
        #expect(data.limits.bandwidth == RateLimit(size: 1 << 20, refill: .milliseconds(100)))
        #expect(data.limits.operations == RateLimit(size: 10, burst: 5, refill: .seconds(1)))
        let network = try #require(arguments.networks.first)
        #expect(network.address == [0x52, 0x54, 0, 0x12, 0x34, 0x56] && network.mtu == 1400)
        #expect(network.limits.transmit.operations == RateLimit(size: 7, refill: .milliseconds(1)))
        #expect(network.limits.receive == .unlimited)
    }

    @Test("A disk needs a vhost socket under QEMU, and may not have one in a machine of ours")
    func aDiskOfQEMUsMachineHasASocket() throws {
        let descriptors = Descriptors()
        let (disk, socket) = (try descriptors.next(), try descriptors.next())
        let good = try descriptors.devices()
        guard
            case .devices(let arguments) = try MonitorArguments(
                parsing: good + ["--disk", "fd=\(disk),id=a,vhost-fd=\(socket)"])
        else { throw ArgumentError.mode("", known: []) }
        #expect(arguments.disks.map(\.disk.descriptor) == [Int32(disk)])
        #expect(arguments.disks.first?.vhost == Int32(socket))
        #expect(throws: ArgumentError.badNumber(flag: "--disk", value: "")) {
            try MonitorArguments(parsing: good + ["--disk", "fd=\(disk),id=a"])
        }
        #expect(throws: ArgumentError.sharedDescriptor(flag: "--disk", number: Int32(disk) ?? -1)) {
            try MonitorArguments(parsing: good + ["--disk", "fd=\(disk),id=a,vhost-fd=\(disk)"])
        }
        // One of our own has none.
        let words = try descriptors.machine() + ["--disk", "fd=\(disk),id=a,vhost-fd=\(socket)"]
        #expect(throws: ArgumentError.self) { try MonitorArguments(parsing: words) }
    }

    @Test("A network without a descriptor is a slot, and under QEMU needs a socket to listen on")
    func aNetworkWithoutADescriptorIsASlot() throws {
        let descriptors = Descriptors()
        let slot = "id=nic0,mac=02:fc:00:00:00:00"
        let network = try #require(try machine(descriptors.machine() + ["--net", slot]).networks.first)
        #expect(network.descriptor == nil && network == NetworkArguments(slot: NetworkSlot(index: 0)))
        let (good, socket) = (try descriptors.devices(), try descriptors.next())
        guard
            case .devices(let arguments) = try MonitorArguments(
                parsing: good + ["--net", "\(slot),vhost-listen-fd=\(socket)"])
        else { throw ArgumentError.mode("", known: []) }
        #expect(arguments.networks.map(\.network) == [network])
        #expect(arguments.networks.map(\.listener) == [Int32(socket)])
        #expect(throws: ArgumentError.badNumber(flag: "--net", value: "")) {
            try MonitorArguments(parsing: good + ["--net", slot])
        }
        #expect(throws: ArgumentError.self) { try machine(descriptors.machine() + ["--net", "fd=,\(slot)"]) }
    }

    @Test("What an order to attach says is an MTU or nothing")
    func ordersToAttach() throws {
        #expect(try AttachArguments(fields: "", of: "net").mtu == nil)
        #expect(try AttachArguments(fields: "mtu=9000", of: "net").mtu == 9000)
        for text in ["mtu=67", "mtu=65536", "mtu=", "mtu", "mtu=68,mtu=68", "fd=3", ",", "mtu=68,"] {
            #expect(throws: ArgumentError.self, "\(text)") { try AttachArguments(fields: text, of: "net") }
        }
    }

    @Test(
        "A malformed disk or network is refused",
        arguments: [
            ("--disk", ""), ("--disk", "fd=1"), ("--disk", "id=x"), ("--disk", "fd=0,id=\u{e9}"),
            ("--disk", "fd=0,id=x,readonly=no"), ("--disk", "fd=0,id=x,cache=none"), ("--disk", "fd=0,id=x,ops=1/1"),
            ("--disk", "fd=0,id=x,ops=0/0/1"), ("--disk", "fd=0,id=x,id=y"), ("--net", "fd=0,id=x"),
            ("--net", "fd=0,id=x,mac=52:54:00:12:34"), ("--net", "fd=0,id=x,mac=53:54:00:12:34:56"),
            ("--net", "fd=0,id=x,mac=52:54:00:12:34:56,mtu=67"),
        ])
    func neither(_ flag: String, _ value: String) throws {
        let descriptors = Descriptors()
        let words = try descriptors.machine() + [flag, value]
        #expect(throws: ArgumentError.self) { try MonitorArguments(parsing: words) }
    }
}
