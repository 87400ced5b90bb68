// SPDX-License-Identifier: Apache-2.0
import Boot
import GuestMemory
import KVM
import Linux
import SandboxPlan
import TestSupport
import Testing
import Virtio

@testable import VMM

/// A machine whose one processor follows a script.
private struct ScriptedMachine {
    let memory: GuestMemory
    let timeline = BootTimeline()
    let counters = ExitCounters()
    let ending = MachineEnding {}
    let bus: DeviceBus

    init() throws {
        let file = try FileDescriptor.memory(named: "guest")
        try file.writeAll([UInt8](repeating: 0, count: 8192))
        memory = try GuestMemory([
            GuestMemory.Piece(start: GuestAddress(rawValue: 0), byteCount: 8192, file: file.borrowed)
        ])
        bus = DeviceBus(transports: [], platform: try PlatformDevices(memory: memory, timeline: timeline))
    }

    func run(_ processor: ScriptedVCPU) -> MachineEnd? {
        VCPULoop(index: 1, processor: processor, bus: bus, counters: counters, ending: ending).run()
    }

    func run(_ exits: [VCPUExit]) -> MachineEnd? { run(ScriptedVCPU(exits: exits)) }

    /// What Linux writes before a reset: 0x1234 for a warm one, 0 for a cold one.
    func setResetMode(_ mode: UInt16) throws {
        try memory.slice(at: GuestAddress(rawValue: 0x472), byteCount: 2).store(mode, at: 0)
    }
}

private let nowhere: UInt16 = 0x700

@Suite("A processor's exits")
struct VCPULoopTests {
    @Test("Each fatal exit ends the machine with its reason; interruptions and halts do not")
    func whatEndsAMachine() throws {
        let machine = try ScriptedMachine()
        #expect(machine.run([.shutdown]) == .tripleFault(processor: 1))
        #expect(machine.run([.internalError(suberror: 1)]) == .internalError(processor: 1, suberror: 1))
        #expect(machine.run([.failEntry(reason: 7)]) == .failedEntry(processor: 1, reason: 7))
        #expect(machine.run([.unknown(99)]) == .unknownExit(processor: 1, reason: 99))
        let error = KVMError.run(vcpu: 1, .invalidArgument)
        #expect(machine.run(ScriptedVCPU([.failure(error)])) == .kvm(processor: 1, error))
        #expect(machine.run([.interrupted, .halt, .shutdown]) == .tripleFault(processor: 1))
        #expect(machine.counters.interruptions.count == 1 && machine.counters.halts.count == 1)
    }

    @Test(
        "A reset or power-off by the guest is an orderly end, and other writes are not",
        arguments: [
            (Port.reset, UInt32(MachineLayout.resetValue), MachineEnd.restarted),
            (Port.keyboardStatus, UInt32(Port.keyboardReset), .restarted), (Port.sleepControl, 0x34, .switchedOff),
        ])
    func ownEnd(_ port: UInt16, _ value: UInt32, _ end: MachineEnd) throws {
        let machine = try ScriptedMachine()
        #expect(machine.run([.portWrite(port: port, width: 1, count: 1, value: value)]) == end)
        #expect(end.isOrderly)
        // Any other value, or width, is none.
        let others: [VCPUExit] = [
            .portWrite(port: port, width: 1, count: 1, value: value ^ 0xff),
            .portWrite(port: port, width: 2, count: 1, value: value),
        ]
        #expect(machine.run(others) == .tripleFault(processor: 1))
    }

    @Test("A panic is distinguished from a restart by the reset mode")
    func aPanicIsToldFromARestart() throws {
        let machine = try ScriptedMachine()
        let reset = VCPUExit.portWrite(port: Port.reset, width: 1, count: 1, value: UInt32(MachineLayout.resetValue))
        try machine.setResetMode(0x1234)
        #expect(machine.run([reset]) == .panicked)
        #expect(!MachineEnd.panicked.isOrderly)
        try machine.setResetMode(0)
        #expect(machine.run([reset]) == .restarted)
    }

    @Test("String output reaches the serial port byte for byte")
    func stringsReachTheSerialLineByteForByte() throws {
        let machine = try ScriptedMachine()
        let text = Array("Linux\n".utf8)
        let exit = VCPUExit.portWrite(
            port: Port.serial, width: 1, count: UInt32(text.count), value: UInt32(text[0]))
        _ = machine.run(ScriptedVCPU([.string(exit, text.map(UInt32.init))]))
        #expect(machine.bus.platform.serial.output.take() == text)
    }

    @Test("Missing ports and addresses read as ones, and accesses to them are counted")
    func whatIsNotThereReadsAsOnes() throws {
        let machine = try ScriptedMachine()
        let processor = ScriptedVCPU(exits: [
            .portRead(port: nowhere, width: 4, count: 1), .memoryRead(address: 0xd000_0000, width: 8),
            .memoryWrite(address: .max - 3, width: 4, value: 1),
            .portRead(port: Port.keyboardStatus, width: 1, count: 1),
        ])
        #expect(machine.run(processor) == .tripleFault(processor: 1))
        #expect(processor.answers.map(\.elements) == [[.max], [.max], [0]])
        #expect(machine.counters.lostAccesses.count == 3)
    }

    @Test("Too many accesses to missing addresses end the machine")
    func reachingForNothingForEverEndsTheMachine() throws {
        let machine = try ScriptedMachine()
        let exits = [VCPUExit](
            repeating: .memoryRead(address: 0xc000_1234, width: 1), count: Int(LostAccesses.limit) + 1)
        #expect(
            machine.run(exits) == .lostAccesses(processor: 1, address: 0xc000_1234, isPort: false))
        #expect(machine.counters.lostAccesses.count == LostAccesses.limit)
    }

    @Test("The first end counts, and no processor runs after it")
    func theFirstEndIsBelieved() throws {
        let machine = try ScriptedMachine()
        machine.ending.tell(.switchedOff)
        machine.ending.tell(.panicked)
        #expect(machine.ending.reason == .switchedOff)
        let processor = ScriptedVCPU(exits: [.shutdown])
        #expect(machine.run(processor) == nil)
        #expect(processor.runCount == 0, "what is over does not run")
    }

    @Test("The boot timer records the guest's init once")
    func theBootTimerCountsOnce() throws {
        let machine = try ScriptedMachine()
        func told(_ value: UInt8) -> VCPUExit {
            .portWrite(port: GuestConvention.bootTimerPort, width: 1, count: 1, value: UInt32(value))
        }
        _ = machine.run([told(GuestConvention.bootTimerValue ^ 1)])
        #expect(machine.timeline.all.isEmpty)
        _ = machine.run([told(GuestConvention.bootTimerValue), told(GuestConvention.bootTimerValue)])
        #expect(machine.timeline.all.map(\.stage) == ["init"])
    }
}
