// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Seccomp

private let allow: UInt32 = 0x7fff_0000
private let notPermitted: UInt32 = 0x0005_0001

@Suite("Seccomp: compiled profiles") struct SeccompTests {
    private func machine(_ profile: SeccompProfile) throws -> FilterMachine {
        FilterMachine(program: try profile.compile())
    }

    @Test("The default action holds for system calls that no rule names")
    func defaultActionHoldsForWhatNoRuleNames() throws {
        let filter = try machine(
            SeccompProfile(
                defaultAction: .errno(1), rules: [.init(names: ["read", "write"], action: .allow)]))
        #expect(filter.verdict(.init(number: 0)) == allow)
        #expect(filter.verdict(.init(number: 1)) == allow)
        #expect(filter.verdict(.init(number: 2)) == notPermitted)
    }

    @Test("Conditions on several arguments must all hold")
    func conditionsOnSeveralArgumentsMustAllHold() throws {
        let filter = try machine(
            SeccompProfile(
                defaultAction: .errno(1),
                rules: [
                    .init(
                        names: ["socket"], action: .allow,
                        conditions: [
                            .init(argument: 0, comparison: .equal, value: 1, second: 0),
                            .init(argument: 1, comparison: .equal, value: 2, second: 0),
                        ])
                ]))
        #expect(filter.verdict(.init(number: 41, arguments: [1, 2, 0])) == allow)
        #expect(filter.verdict(.init(number: 41, arguments: [1, 3, 0])) == notPermitted)
    }

    @Test("Conditions on the same argument are alternatives")
    func conditionsOnOneArgumentAreAlternatives() throws {
        let filter = try machine(
            SeccompProfile(
                defaultAction: .errno(1),
                rules: [
                    .init(
                        names: ["personality"], action: .allow,
                        conditions: [
                            .init(argument: 0, comparison: .equal, value: 0, second: 0),
                            .init(argument: 0, comparison: .equal, value: 8, second: 0),
                        ])
                ]))
        #expect(filter.verdict(.init(number: 135, arguments: [0])) == allow)
        #expect(filter.verdict(.init(number: 135, arguments: [8])) == allow)
        #expect(filter.verdict(.init(number: 135, arguments: [4])) == notPermitted)
    }

    @Test("A masked comparison looks at the masked bits alone")
    func maskedComparisonLooksAtTheMaskedBits() throws {
        // clone without new namespaces, as container profiles allow it.
        let filter = try machine(
            SeccompProfile(
                defaultAction: .errno(1),
                rules: [
                    .init(
                        names: ["clone"], action: .allow,
                        conditions: [.init(argument: 0, comparison: .maskedEqual, value: 0x7e02_0000, second: 0)])
                ]))
        #expect(filter.verdict(.init(number: 56, arguments: [0x11])) == allow)
        #expect(filter.verdict(.init(number: 56, arguments: [0x1000_0011])) == notPermitted)
    }

    @Test("Calls of another architecture are killed unless the profile names it")
    func anotherArchitectureIsKilledUnlessNamed() throws {
        let x86: UInt32 = 0x4000_0003
        let native = try machine(SeccompProfile(defaultAction: .allow))
        #expect(native.verdict(.init(number: 1, architecture: x86)) == 0)
        let both = try machine(
            SeccompProfile(
                defaultAction: .allow, architectures: ["x86_64", "x86"],
                rules: [.init(names: ["write"], action: .errno(1))]))
        // write is 4 on x86.
        #expect(both.verdict(.init(number: 4, architecture: x86)) == notPermitted)
        #expect(both.verdict(.init(number: 1)) == notPermitted)
        #expect(both.verdict(.init(number: 3, architecture: x86)) == allow)
    }

    @Test("Unknown system call names in a rule are skipped")
    func unknownSystemCallsAreSkipped() throws {
        let filter = try machine(
            SeccompProfile(defaultAction: .allow, rules: [.init(names: ["no_such_call", "read"], action: .errno(1))]))
        #expect(filter.verdict(.init(number: 0)) == notPermitted)
    }

    @Test("A profile with an unknown architecture is refused")
    func unknownArchitectureIsRefused() {
        #expect(throws: SeccompError.unknownArchitecture("vax")) {
            try SeccompProfile(defaultAction: .allow, architectures: ["vax"]).compile()
        }
    }
}
