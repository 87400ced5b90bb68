// SPDX-License-Identifier: Apache-2.0
import KVM
import Virtio

/// One virtual processor's life: it runs until it needs something of the machine, gets it, and runs on.
///
/// Nothing on this path takes memory, and no lock but a device's own is taken; whatever the guest does, the worst that
/// comes of it is the end of its own machine.
struct VCPULoop<Processor: VirtualProcessor>: @unchecked Sendable {
    // @unchecked: the processor is handed to the one thread that runs it, whole.
    let index: Int
    let processor: Processor
    let bus: DeviceBus
    let counters: ExitCounters
    let ending: MachineEnding

    /// - Returns: why the machine is no more, or nil where somebody else knows.
    func run() -> MachineEnd? {
        while !ending.isOver {
            let exit: VCPUExit
            do {
                exit = try processor.run()
            } catch {
                return .kvm(processor: index, error)
            }
            if let end = answer(exit) { return end }
        }
        return nil
    }
}

extension VCPULoop {
    private func answer(_ exit: VCPUExit) -> MachineEnd? {
        switch exit {
        case .portWrite(let port, let width, let count, let value):
            counters.portWrites.add()
            return write(port: port, Int(width), count, value)
        case .portRead(let port, let width, let count):
            counters.portReads.add()
            return read(port: port, Int(width), count)
        case .memoryRead(let address, let width):
            counters.memoryReads.add()
            if let value = bus.read(address, width: Int(width)) {
                processor.answer = value
                return nil
            }
            processor.answer = .max
            return lost(address, isPort: false)
        case .memoryWrite(let address, let width, let value):
            counters.memoryWrites.add()
            return bus.write(address, width: Int(width), value) ? nil : lost(address, isPort: false)
        case .interrupted:
            counters.interruptions.add()
            return nil
        case .halt:
            counters.halts.add()
            return nil
        case .shutdown: return .tripleFault(processor: index)
        case .internalError(let suberror): return .internalError(processor: index, suberror: suberror)
        case .failEntry(let reason): return .failedEntry(processor: index, reason: reason)
        case .systemEvent(let type): return .unknownExit(processor: index, reason: type)
        case .debug: return .unknownExit(processor: index, reason: 4)
        case .unknown(let reason): return .unknownExit(processor: index, reason: reason)
        }
    }

    /// Each element of a string instruction is a write of its own.
    private func write(port: UInt16, _ width: Int, _ count: UInt32, _ first: UInt32) -> MachineEnd? {
        for element in 0..<count {
            let value = element == 0 ? first : processor.element(element)
            switch bus.platform.write(port: port, width: width, UInt64(value)) {
            case .done: continue
            case .nothing: return lost(UInt64(port), isPort: true)
            case .end(let end): return end
            }
        }
        return nil
    }

    private func read(port: UInt16, _ width: Int, _ count: UInt32) -> MachineEnd? {
        for element in 0..<count {
            guard let value = bus.platform.read(port: port, width: width) else {
                processor.answer = .max
                return lost(UInt64(port), isPort: true)
            }
            if count == 1 {
                processor.answer = value
            } else {
                processor.setElement(element, UInt32(truncatingIfNeeded: value))
            }
        }
        return nil
    }

    private func lost(_ address: UInt64, isPort: Bool) -> MachineEnd? {
        counters.lostAccesses.add()
        guard counters.lostAccesses.count >= LostAccesses.limit else { return nil }
        return .lostAccesses(processor: index, address: address, isPort: isPort)
    }
}
