// SPDX-License-Identifier: Apache-2.0
import SandboxPlan
import Testing

@testable import AgentCore

/// The program is run here as the kernel would.
struct DeviceFilterTests {
    static let all = DeviceRule(
        allows: false, kind: nil, major: nil, minor: nil, canRead: true, canWrite: true, canMakeNode: true)

    static func rule(
        _ allows: Bool, _ kind: DevicePlan.Kind?, _ major: UInt32?, _ minor: UInt32?, _ access: String
    ) -> DeviceRule {
        DeviceRule(
            allows: allows, kind: kind, major: major, minor: minor, canRead: access.contains("r"),
            canWrite: access.contains("w"), canMakeNode: access.contains("m"))
    }

    /// What the program answers for an access `rwm` to a device.
    func allows(
        _ rules: [DeviceRule], _ kind: DevicePlan.Kind, _ major: UInt32, _ minor: UInt32, _ access: String
    ) -> Bool {
        var bits: UInt32 = 0
        for (letter, bit) in [("m", 1), ("r", 2), ("w", 4)] as [(String, UInt32)] where access.contains(letter) {
            bits += bit
        }
        let context: [UInt32] = [bits << 16 | (kind == .block ? 1 : 2), major, minor]
        let program = DeviceFilter.program(for: rules)
        var registers = [UInt32](repeating: 0, count: 11)
        var position = 0
        for _ in 0..<100_000 {
            let word = program[position]
            let destination = Int(word >> 8 & 15)
            let source = Int(word >> 12 & 15)
            let offset = Int(Int16(truncatingIfNeeded: word >> 16))
            let value = UInt32(truncatingIfNeeded: word >> 32)
            position += 1
            switch word & 0xff {
            case 0x61: registers[destination] = context[offset / 4]
            case 0xbc: registers[destination] = registers[source]
            case 0xb4: registers[destination] = value
            case 0x54: registers[destination] &= value
            case 0x74: registers[destination] >>= value
            case 0x56: if registers[destination] != value { position += offset }
            case 0x16: if registers[destination] == value { position += offset }
            case 0x95: return registers[0] == 1
            default:
                Issue.record("unknown instruction \(String(word, radix: 16))")
                return false
            }
        }
        Issue.record("no end")
        return false
    }

    @Test("Default devices stay usable under deny-all, and other nodes may be made but not opened")
    func whatEveryContainerMay() {
        let rules = [Self.all]
        #expect(allows(rules, .character, 1, 3, "rw"))
        #expect(allows(rules, .character, 136, 77, "rwm"))
        #expect(allows(rules, .character, 1, 11, "m"))
        #expect(allows(rules, .block, 8, 0, "m"))
        #expect(!allows(rules, .character, 1, 11, "r"))
        #expect(!allows(rules, .block, 8, 0, "rm"))
        // No rule, no access: the default is no.
        #expect(!allows([], .block, 8, 0, "r"))
    }

    @Test("The last rule that matches an access decides")
    func lastRuleDecides() {
        let rules = [Self.all, Self.rule(true, .block, 8, nil, "rw"), Self.rule(false, .block, 8, 1, "w")]
        #expect(allows(rules, .block, 8, 0, "rw"))
        #expect(allows(rules, .block, 8, 1, "r"))
        #expect(!allows(rules, .block, 8, 1, "rw"))
        #expect(!allows(rules, .character, 8, 0, "r"))
        #expect(!allows(rules, .block, 9, 0, "r"))
    }

    @Test("Read and write access may come from different rules")
    func accessesMayComeOfSeveralRules() {
        let rules = [Self.all, Self.rule(true, .block, 8, 0, "r"), Self.rule(true, nil, 8, nil, "w")]
        #expect(allows(rules, .block, 8, 0, "rw"))
        #expect(!allows(rules, .block, 8, 1, "rw"))
    }

    @Test("A rule without kind and numbers matches every device")
    func anyDevice() {
        let open = [Self.rule(true, nil, nil, nil, "rwm")]
        #expect(allows(open, .block, 259, 4, "rwm"))
        #expect(!allows(open + [Self.rule(false, nil, nil, nil, "rwm")], .block, 259, 4, "r"))
    }
}
