// SPDX-License-Identifier: Apache-2.0
import KVM
import Linux
import Testing

/// What is set is what is read, on the host's KVM.
@Suite(.enabled(if: KVMHere.isUsable, "/dev/kvm cannot be opened"))
struct StateTests {
    @Test("A vCPU accepts the features offered on this host")
    func theHostsFeaturesAreTakenByAVCPU() throws {
        let toy = try ToyMachine(hasInterruptController: true)
        let supported = try toy.hypervisor.supportedProcessor()
        let offered = supported.offered()
        let first = try #require(offered[1])
        #expect(first.ecx & 1 << 31 != 0)
        #expect(first.ecx & 1 << 21 != 0, "no x2APIC")
        #expect(first.ecx & 1 << 24 != 0, "no deadline timer")
        #expect(offered[0x4000_0001].map { $0.eax & 1 << 3 != 0 } == true, "no paravirtual clock")
        #expect(offered.leaves.count <= supported.leaves.count)
        for index in 0..<2 { try toy.vcpu([0xf4], index: index).configure(offered, count: 2) }
    }

    @Test("Registers of every kind are set and read back")
    func registersOfAllKinds() throws {
        let toy = try ToyMachine(hasInterruptController: true)
        let vcpu = try toy.vcpu([0xf4])
        let offered = try toy.hypervisor.supportedProcessor().offered()
        try vcpu.configure(offered, count: 1)
        var registers = try vcpu.registers()
        registers.rbx = 0x1234_5678_9abc_def0
        try vcpu.setRegisters(registers)
        #expect(try vcpu.registers().rbx == 0x1234_5678_9abc_def0)
        var special = try vcpu.specialRegisters()
        special.ds.base = 0x5000
        try vcpu.setSpecialRegisters(special)
        #expect(try vcpu.specialRegisters().ds.base == 0x5000)
        var floatingPoint = try vcpu.floatingPoint()
        floatingPoint.fcw = 0x37f
        try vcpu.setFloatingPoint(floatingPoint)
        #expect(try vcpu.floatingPoint().fcw == 0x37f)
        try vcpu.setModelSpecificRegisters(ModelSpecificRegister.atBoot)
        let values = try vcpu.modelSpecificRegisters([0x2ff, 0x1a0])
        #expect(values == [ModelSpecificRegister(0x2ff, 0x806), ModelSpecificRegister(0x1a0, 1)])
        let extended = try vcpu.xsave()
        #expect(extended.count >= 4096)
        try vcpu.setXsave(extended)
        let control = try vcpu.extendedControl()
        // x87 is always there.
        #expect(control.xcrs.0.value == max(1, offered.extendedStateComponents))
        try vcpu.setExtendedControl(control)
        try vcpu.setEvents(try vcpu.events())
        try vcpu.setDebugRegisters(try vcpu.debugRegisters())
        #expect(try vcpu.timestampKilohertz() > 0)
        try vcpu.noteClockPause()
    }

    @Test("LINT0 delivers external interrupts and LINT1 NMIs, both unmasked")
    func theLocalInterruptPins() throws {
        let toy = try ToyMachine(hasInterruptController: true)
        let vcpu = try toy.vcpu([0xf4])
        try vcpu.connectLocalInterrupts()
        let registers = try vcpu.localAPIC()
        #expect(registers[0x351] & 7 == 7)
        #expect(registers[0x361] & 7 == 4)
        #expect(registers[0x352] & 1 == 0)
        #expect(registers[0x362] & 1 == 0)
    }

    @Test("All vCPUs but the first wait to be started")
    func processorsButTheFirstWaitToBeStarted() throws {
        let toy = try ToyMachine(hasInterruptController: true)
        #expect(try toy.vcpu([0xf4]).multiprocessingState() == .runnable)
        let second = try toy.vcpu([0xf4], index: 1)
        #expect(try second.multiprocessingState() == .uninitialized)
        try second.setMultiprocessingState(.runnable)
        #expect(try second.multiprocessingState() == .runnable)
        // One that waits is stopped all the same.
        try second.setMultiprocessingState(.uninitialized)
        second.stopSoon()
        #expect(try second.run() == .interrupted)
    }

    @Test("The clock goes on from the value it was set to")
    func theClockGoesOnFromWhereItWasSet() throws {
        let toy = try ToyMachine()
        _ = try toy.vcpu([0xf4])
        try toy.machine.setClock(VirtualMachine.Clock(nanoseconds: 5_000_000_000_000))
        let now = try toy.machine.clock().nanoseconds
        #expect(now >= 5_000_000_000_000 && now < 5_600_000_000_000)
    }

    @Test("A timer is made on request and only once")
    func aTimerWhereItIsAskedFor() throws {
        let toy = try ToyMachine(hasInterruptController: true)
        try toy.machine.makeTimer()
        #expect(throws: KVMError.createTimer(.exists)) { try toy.machine.makeTimer() }
    }
}
