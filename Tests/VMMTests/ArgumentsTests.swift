import Linux
import RateLimiter
import Testing

@testable import VMM

/// Open descriptors, to be named in words; what is parsed must be open.
private final class Descriptors {
    /// It stays open: closed, its number could be another's before a test is done with it, or nobody's.
    func next() throws -> String { String(try FileDescriptor.open("/dev/null", .readWrite).release()) }

    func devices() throws -> [String] {
        var words = ["devices", "--guest-cid", "3"]
        for flag in [
            "--vsock-vhost-fd", "--vsock-listen-fd", "--vsock-directory-fd", "--console-fd", "--console-log-fd",
            "--control-fd", "--log-fd",
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
    guard case .machine(let arguments) = try Arguments(words) else { throw VMMError.mode("") }
    return arguments
}

@Suite("The command line of fc-vmm")
struct ArgumentsTests {
    @Test func everyFlagHasItsPlace() throws {
        let words = try Descriptors().devices()
        guard case .devices(let arguments) = try Arguments(words) else { throw VMMError.mode("") }
        let numbers = [
            arguments.vsockVhost, arguments.vsockListener, arguments.vsockDirectory, arguments.console,
            arguments.consoleLog, arguments.control, arguments.log,
        ]
        #expect(arguments.guestCID == 3)
        #expect(numbers.map(String.init) == stride(from: 4, to: words.count, by: 2).map { words[$0] })
    }

    @Test func everyFlagIsNeeded() throws {
        let descriptors = Descriptors()
        for good in [try descriptors.devices(), try descriptors.machine()] {
            for index in stride(from: 1, to: good.count, by: 2) {
                var words = good
                words.removeSubrange(index..<(index + 2))
                #expect(throws: VMMError.missingFlag(good[index])) { try Arguments(words) }
            }
        }
    }

    @Test func mistakes() throws {
        let good = try Descriptors().devices()
        #expect(throws: VMMError.mode("")) { try Arguments([]) }
        #expect(throws: VMMError.mode("--help")) { try Arguments(["--help"]) }
        #expect(throws: VMMError.unknownFlag("--help")) { try Arguments(good + ["--help", "1"]) }
        #expect(throws: VMMError.unknownFlag("help")) { try Arguments(["devices", "help"]) }
        #expect(throws: VMMError.missingValue(flag: "--log-fd")) { try Arguments(["devices", "--log-fd"]) }
        #expect(throws: VMMError.repeatedFlag("--log-fd")) { try Arguments(good + ["--log-fd", "1"]) }
        let shared = try #require(Int32(good[good.count - 3]))
        #expect(throws: VMMError.sharedDescriptor(flag: "--log-fd", number: shared)) {
            try Arguments(good.dropLast() + ["\(shared)"])
        }
        #expect(throws: VMMError.descriptor(flag: "--log-fd", number: 9000, .badFileDescriptor)) {
            try Arguments(good.dropLast() + ["9000"])
        }
    }

    @Test("numbers", arguments: ["", "-1", "+1", "0x1", "1 ", "2147483648", "99999999999999999999"])
    func numbers(_ value: String) throws {
        let good = try Descriptors().devices()
        #expect(throws: VMMError.badNumber(flag: "--log-fd", value: value)) { try Arguments(good.dropLast() + [value]) }
    }

    @Test("context identifiers that no guest has", arguments: ["0", "1", "2", "4294967295", "18446744073709551615"])
    func contextIDs(_ number: String) throws {
        var words = try Descriptors().devices()
        words[2] = number
        #expect(throws: VMMError.badNumber(flag: "--guest-cid", value: number)) { try Arguments(words) }
    }

    @Test func aMachineOfOnlyWhatItNeeds() throws {
        let arguments = try machine(Descriptors().machine())
        #expect(arguments.vcpuCount == 2)
        #expect(arguments.memoryByteCount == 64 << 20)
        #expect(arguments.sockets == nil && arguments.share == nil && arguments.control == nil)
        #expect(arguments.disks.isEmpty && arguments.networks.isEmpty)
    }

    @Test(
        "sizes no machine has",
        arguments: [("--vcpus", "0"), ("--vcpus", "33"), ("--memory", "33554431"), ("--memory", "67108865")])
    func sizes(_ flag: String, _ value: String) throws {
        var words = try Descriptors().machine()
        words[try #require(words.firstIndex(of: flag)) + 1] = value
        #expect(throws: VMMError.badNumber(flag: flag, value: value)) { try Arguments(words) }
    }

    @Test func disksAndNetworks() throws {
        let descriptors = Descriptors()
        let disk = try descriptors.next()
        let tap = try descriptors.next()
        let arguments = try machine(
            descriptors.machine() + [
                "--disk", "fd=\(disk),id=data,readonly,bandwidth=1048576/0/100,ops=10/5/1000",
                "--net", "fd=\(tap),id=eth0,mac=52:54:00:12:34:56,mtu=1400,tx-ops=7/0/1",
            ])
        let data = try #require(arguments.disks.first)
        #expect(data.id == "data" && data.isReadOnly && String(data.descriptor) == disk)
        #expect(data.limits.bandwidth == RateLimit(size: 1 << 20, refill: .milliseconds(100)))
        #expect(data.limits.operations == RateLimit(size: 10, burst: 5, refill: .seconds(1)))
        let network = try #require(arguments.networks.first)
        #expect(network.address == [0x52, 0x54, 0, 0x12, 0x34, 0x56] && network.mtu == 1400)
        #expect(network.limits.transmit.operations == RateLimit(size: 7, refill: .milliseconds(1)))
        #expect(network.limits.receive == .unlimited)
    }

    @Test func aDiskOfQEMUsMachineHasASocket() throws {
        let descriptors = Descriptors()
        let (disk, socket) = (try descriptors.next(), try descriptors.next())
        let good = try descriptors.devices()
        guard case .devices(let arguments) = try Arguments(good + ["--disk", "fd=\(disk),id=a,vhost-fd=\(socket)"])
        else { throw VMMError.mode("") }
        #expect(arguments.disks.map(\.descriptor) == [Int32(disk)])
        #expect(arguments.disks.first?.vhost == Int32(socket))
        #expect(throws: VMMError.badNumber(flag: "--disk", value: "")) {
            try Arguments(good + ["--disk", "fd=\(disk),id=a"])
        }
        #expect(throws: VMMError.sharedDescriptor(flag: "--disk", number: Int32(disk) ?? -1)) {
            try Arguments(good + ["--disk", "fd=\(disk),id=a,vhost-fd=\(disk)"])
        }
        // One of our own has none.
        let words = try descriptors.machine() + ["--disk", "fd=\(disk),id=a,vhost-fd=\(socket)"]
        #expect(throws: VMMError.self) { try Arguments(words) }
    }

    @Test(
        "what is no disk and no network",
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
        #expect(throws: VMMError.self) { try Arguments(words) }
    }
}
