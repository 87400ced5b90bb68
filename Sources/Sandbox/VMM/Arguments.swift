import CLinux
import Glibc
import Linux

/// What fc-vmm is told: a number and open descriptors, nothing to be opened by name.
struct Arguments: Equatable {
    var guestCID: UInt64
    /// Connected to QEMU's vhost-user-vsock device.
    var vsockVhost: Int32
    /// Listens for host peers.
    var vsockListener: Int32
    /// The directory with the host's ports.
    var vsockDirectory: Int32
    /// What the guest's serial console writes to.
    var console: Int32
    /// The regular file the console goes to.
    var consoleLog: Int32
    /// Where this program says what went wrong.
    var log: Int32

    private static let flags = [
        "--guest-cid", "--vsock-vhost-fd", "--vsock-listen-fd", "--vsock-directory-fd", "--console-fd",
        "--console-log-fd", "--log-fd",
    ]

    /// - Parameter words: the command line behind the program's name.
    init(_ words: [String]) throws(VMMError) {
        var values: [String: UInt64] = [:]
        var index = 0
        while index < words.count {
            let flag = words[index]
            guard Self.flags.contains(flag) else { throw .unknownFlag(flag) }
            guard values[flag] == nil else { throw .repeatedFlag(flag) }
            guard index + 1 < words.count else { throw .missingValue(flag: flag) }
            values[flag] = try Self.number(words[index + 1], flag: flag)
            index += 2
        }
        var numbers: Set<Int32> = []
        func descriptor(_ flag: String) throws(VMMError) -> Int32 {
            guard let value = values[flag] else { throw .missingFlag(flag) }
            guard let number = Int32(exactly: value) else { throw .badNumber(flag: flag, value: String(value)) }
            guard numbers.insert(number).inserted else { throw .sharedDescriptor(flag: flag, number: number) }
            return number
        }
        guard let cid = values["--guest-cid"] else { throw .missingFlag("--guest-cid") }
        guard (3...0xffff_fffe).contains(cid) else { throw .guestCID(cid) }
        guestCID = cid
        vsockVhost = try descriptor("--vsock-vhost-fd")
        vsockListener = try descriptor("--vsock-listen-fd")
        vsockDirectory = try descriptor("--vsock-directory-fd")
        console = try descriptor("--console-fd")
        consoleLog = try descriptor("--console-log-fd")
        log = try descriptor("--log-fd")
    }

    /// The log's descriptor where the command line names one, be the rest as it may.
    static func logDescriptor(in words: [String]) -> Int32? {
        guard let index = words.firstIndex(of: "--log-fd"), index + 1 < words.count else { return nil }
        return Int32(words[index + 1])
    }

    /// Digits only: what else `UInt64.init` takes is a mistake here.
    private static func number(_ text: String, flag: String) throws(VMMError) -> UInt64 {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = UInt64(text) else {
            throw .badNumber(flag: flag, value: text)
        }
        return number
    }

    /// Whether everything named is open.
    func check() throws(VMMError) {
        let named = [
            ("--vsock-vhost-fd", vsockVhost), ("--vsock-listen-fd", vsockListener),
            ("--vsock-directory-fd", vsockDirectory), ("--console-fd", console), ("--console-log-fd", consoleLog),
            ("--log-fd", log),
        ]
        for (flag, number) in named {
            do {
                try syscall(__NR_fcntl, Int(number), Int(F_GETFD))
            } catch {
                throw .descriptor(flag: flag, number: number, error)
            }
        }
    }
}
