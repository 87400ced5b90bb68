// SPDX-License-Identifier: Apache-2.0
import KVM
import Linux
import Testing

/// What reaches a guest, or comes from it, without an exit; and what takes it out of the guest.
@Suite(.enabled(if: KVMHere.isUsable, "/dev/kvm cannot be opened"), .timeLimit(.minutes(1)))
struct EventTests {
    /// mov ax, 0xa000; mov ds, ax; mov dword [0x50], 7; mov dword [0x50], 8; out 0x80, al
    static let notifier: [UInt8] = [
        0xb8, 0x00, 0xa0, 0x8e, 0xd8, 0x66, 0xc7, 0x06, 0x50, 0x00, 7, 0, 0, 0,
        0x66, 0xc7, 0x06, 0x50, 0x00, 8, 0, 0, 0, 0xe6, 0x80,
    ]

    @Test("A memory write of the registered value signals without an exit")
    func aWriteToMemoryOfTheRightValueSignals() throws {
        let toy = try ToyMachine()
        let event = try EventFD()
        try toy.machine.signal(event, onWriteTo: 0xa0050, byteCount: 4, value: 7)
        let vcpu = try toy.vcpu(Self.notifier)
        #expect(try vcpu.run() == .memoryWrite(address: 0xa0050, width: 4, value: 8))
        let isSignalled = event.drain()
        #expect(isSignalled)
        guard case .portWrite(port: 0x80, _, _, _) = try vcpu.run() else {
            Issue.record("no write to the port")
            return
        }
        let isSignalledAgain = event.drain()
        #expect(!isSignalledAgain)
    }

    @Test("A memory write of any value signals until the signal is removed")
    func aWriteOfAnyValueSignalsUntilItIsUndone() throws {
        let toy = try ToyMachine()
        let event = try EventFD()
        try toy.machine.signal(event, onWriteTo: 0xa0050, byteCount: 4)
        let vcpu = try toy.vcpu(Self.notifier)
        guard case .portWrite = try vcpu.run() else {
            Issue.record("a write that signals ended the run")
            return
        }
        let isSignalled = event.drain()
        #expect(isSignalled)
        try toy.machine.stopSignaling(event, onWriteTo: 0xa0050, byteCount: 4)
        var registers = try vcpu.registers()
        registers.rip = ToyMachine.codeStart
        // The exit of the port is over before registers are changed.
        vcpu.stopSoon()
        #expect(try vcpu.run() == .interrupted)
        try vcpu.setRegisters(registers)
        #expect(try vcpu.run() == .memoryWrite(address: 0xa0050, width: 4, value: 7))
        let isSignalledAgain = event.drain()
        #expect(!isSignalledAgain)
    }

    @Test("A port write of the registered value signals without an exit")
    func aWriteToAPortSignals() throws {
        let toy = try ToyMachine()
        let event = try EventFD()
        try toy.machine.signal(event, onWriteToPort: 0x90, byteCount: 1, value: 3)
        // mov al, 3; out 0x90, al; mov al, 4; out 0x90, al
        let vcpu = try toy.vcpu([0xb0, 3, 0xe6, 0x90, 0xb0, 4, 0xe6, 0x90])
        #expect(try vcpu.run() == .portWrite(port: 0x90, width: 1, count: 1, value: 4))
        let isSignalled = event.drain()
        #expect(isSignalled)
        try toy.machine.stopSignaling(event, onWriteToPort: 0x90, byteCount: 1, value: 3)
        #expect(throws: KVMError.signalOnPort(0x90, byteCount: 1, .noSuchFile)) {
            try toy.machine.stopSignaling(event, onWriteToPort: 0x90, byteCount: 1, value: 3)
        }
    }

    /// Programs both 8259 so that interrupt n is vector 0x20 + n, unmasked, and waits in HLT; vector 0x25 tells.
    static let waiter: [UInt8] = [
        0xb0, 0x11, 0xe6, 0x20, 0xb0, 0x20, 0xe6, 0x21,  // ICW1, ICW2
        0xb0, 0x04, 0xe6, 0x21, 0xb0, 0x01, 0xe6, 0x21,  // ICW3, ICW4
        0xb0, 0x00, 0xe6, 0x21, 0xe6, 0x80,  // nothing masked; ready
        0xfb, 0xf4, 0xeb, 0xfd,  // sti; hlt; jmp to hlt
    ]
    /// mov al, 0x20; out 0x20, al; out 0x81, al; iret
    static let handler: [UInt8] = [0xb0, 0x20, 0xe6, 0x20, 0xe6, 0x81, 0xcf]

    private func waiting(_ toy: ToyMachine) throws -> VCPU {
        toy.write([0x00, 0x15, 0x00, 0x00], at: 0x25 * 4)
        toy.write(Self.handler, at: 0x1500)
        let vcpu = try toy.vcpu(Self.waiter)
        try vcpu.connectLocalInterrupts()
        #expect(try vcpu.run() == .portWrite(port: 0x80, width: 1, count: 1, value: 0))
        return vcpu
    }

    @Test("A signalled event interrupts the guest through its route")
    func aSignalIsAnInterrupt() throws {
        let toy = try ToyMachine(hasInterruptController: true)
        let interrupt = try EventFD()
        try toy.machine.route(interrupt, to: 5)
        let vcpu = try waiting(toy)
        interrupt.signal()
        #expect(try vcpu.run() == .portWrite(port: 0x81, width: 1, count: 1, value: 0x20))
        interrupt.signal()
        #expect(try vcpu.run() == .portWrite(port: 0x81, width: 1, count: 1, value: 0x20))
        try toy.machine.unroute(interrupt, from: 5)
    }

    @Test("A raised interrupt line interrupts the guest")
    func aRaisedLineIsAnInterrupt() throws {
        let toy = try ToyMachine(hasInterruptController: true)
        let vcpu = try waiting(toy)
        try toy.machine.setInterruptLine(5, true)
        #expect(try vcpu.run() == .portWrite(port: 0x81, width: 1, count: 1, value: 0x20))
        try toy.machine.setInterruptLine(5, false)
    }

    @Test("Another thread stops a guest that spins or is halted", arguments: [false, true])
    func anotherThreadStopsAGuestThatRunsForEver(halted: Bool) throws {
        let toy = try ToyMachine(hasInterruptController: halted)
        // jmp to itself; or sti and hlt, where the kernel waits.
        let vcpu = try toy.vcpu(halted ? [0xfb, 0xf4, 0xeb, 0xfd] : [0xeb, 0xfe])
        let interrupter = vcpu.interrupter
        for _ in 0..<20 {
            let stopper = try Thread(named: "stopper") { interrupter.stopSoon() }
            #expect(try vcpu.run() == .interrupted)
            stopper.join()
        }
    }

    @Test("A stop that comes before the run is not lost, nor is a pending answer")
    func aStopThatComesFirstIsNotLost() throws {
        let toy = try ToyMachine()
        let vcpu = try toy.vcpu([0xe4, 0x60, 0xe6, 0x61])
        vcpu.stopSoon()
        #expect(try vcpu.run() == .interrupted)
        #expect(try vcpu.run() == .portRead(port: 0x60, width: 1, count: 1))
        vcpu.answer = 9
        vcpu.stopSoon()
        // The answer is the guest's all the same.
        #expect(try vcpu.run() == .interrupted)
        #expect(try vcpu.registers().rax & 0xff == 9)
        #expect(try vcpu.run() == .portWrite(port: 0x61, width: 1, count: 1, value: 9))
    }
}
