import Testing

@testable import RuntimeState

@Suite struct MachineRecordTests {
    private func machine(alone: UInt64?) -> MachineRecord {
        var machine = MachineRecord(memoryByteCount: 1000, overheadByteCount: 100)
        machine.memoryLimitAlone = alone
        return machine
    }

    @Test func theLimitGrowsWithMembers() {
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

    @Test func oneWithoutALimitMayUseAll() {
        var machine = machine(alone: 300)
        machine.members["a"] = 0
        #expect(machine.memoryLimit == 1100)
        machine.members["b"] = .max
        #expect(machine.memoryLimit == 1100)
    }

    @Test func noLimitStaysNone() {
        var machine = machine(alone: nil)
        machine.members["a"] = 200
        #expect(machine.memoryLimit == nil)
    }
}
