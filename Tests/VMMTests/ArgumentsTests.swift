import Testing

@testable import VMM

private let good = [
    "--guest-cid", "3", "--vsock-vhost-fd", "4", "--vsock-listen-fd", "5", "--vsock-directory-fd", "6",
    "--console-fd", "7", "--console-log-fd", "8", "--log-fd", "9",
]

@Suite("The command line of fc-vmm")
struct ArgumentsTests {
    @Test func everyFlagHasItsPlace() throws {
        let arguments = try Arguments(good)
        #expect(arguments.guestCID == 3)
        #expect(arguments.vsockVhost == 4)
        #expect(arguments.vsockListener == 5)
        #expect(arguments.vsockDirectory == 6)
        #expect(arguments.console == 7)
        #expect(arguments.consoleLog == 8)
        #expect(arguments.log == 9)
    }

    @Test func everyFlagIsNeeded() {
        for index in stride(from: 0, to: good.count, by: 2) {
            var words = good
            words.removeSubrange(index..<(index + 2))
            #expect(throws: VMMError.missingFlag(good[index])) { try Arguments(words) }
        }
    }

    @Test func mistakes() {
        #expect(throws: VMMError.unknownFlag("--help")) { try Arguments(["--help"]) }
        #expect(throws: VMMError.unknownFlag("")) { try Arguments([""]) }
        #expect(throws: VMMError.missingValue(flag: "--log-fd")) { try Arguments(["--log-fd"]) }
        #expect(throws: VMMError.repeatedFlag("--log-fd")) { try Arguments(["--log-fd", "1", "--log-fd", "1"]) }
        #expect(throws: VMMError.sharedDescriptor(flag: "--log-fd", number: 8)) {
            try Arguments(good.dropLast() + ["8"])
        }
    }

    @Test("numbers", arguments: ["", "-1", "+1", "0x1", "1 ", "2147483648", "99999999999999999999"])
    func numbers(_ value: String) {
        #expect(throws: VMMError.badNumber(flag: "--log-fd", value: value)) { try Arguments(good.dropLast() + [value]) }
    }

    @Test("context identifiers that no guest has", arguments: [0, 1, 2, 4_294_967_295, UInt64.max])
    func contextIDs(_ number: UInt64) {
        #expect(throws: VMMError.guestCID(number)) {
            try Arguments(["--guest-cid", String(number)] + good.dropFirst(2))
        }
    }
}
