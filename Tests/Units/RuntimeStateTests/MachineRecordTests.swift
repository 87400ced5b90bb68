// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RuntimeState

@Suite("RuntimeState: a machine's memory limit") struct MachineRecordTests {
    private func machine(alone: UInt64?) -> MachineRecord {
        var machine = MachineRecord(memoryByteCount: 1000, overheadByteCount: 100)
        machine.memoryLimitAlone = alone
        return machine
    }

    @Test("The memory limit follows the members' limits, up to the machine's memory")
    func theLimitGrowsWithMembers() {
        var machine = machine(alone: 300)
        #expect(machine.memoryLimit == 300)
        machine.members["a"] = 200
        #expect(machine.memoryLimit == 500)
        machine.members["b"] = 400
        #expect(machine.memoryLimit == 900)
        machine.members["c"] = 400
        #expect(machine.memoryLimit == 1100, "never more than there is")
        machine.members["c"] = nil
        #expect(machine.memoryLimit == 900)
    }

    @Test("A member without a limit raises the machine's limit to all of its memory")
    func oneWithoutALimitMayUseAll() {
        var machine = machine(alone: 300)
        machine.members["a"] = 0
        #expect(machine.memoryLimit == 1100)
        machine.members["b"] = .max
        #expect(machine.memoryLimit == 1100)
    }

    @Test("A machine without a limit of its own stays unlimited with members")
    func noLimitStaysNone() {
        var machine = machine(alone: nil)
        machine.members["a"] = 200
        #expect(machine.memoryLimit == nil)
    }
}
