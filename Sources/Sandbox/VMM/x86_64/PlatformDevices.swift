// SPDX-License-Identifier: Apache-2.0
import Boot
import GuestMemory
import KVM
import Linux
import SandboxPlan
import Serial
import Virtio

/// What this architecture's machine has beside virtio devices, all of it on I/O ports: the serial line, the ports by
/// which a guest ends its machine, and the boot timer's. Called by all processors at once.
final class PlatformDevices: Sendable {
    let serial: Serial
    private let memory: GuestMemory
    private let timeline: BootTimeline

    /// - Parameter memory: where a guest leaves word of why it ends.
    init(memory: GuestMemory, timeline: BootTimeline) throws(Errno) {
        serial = try Serial()
        self.memory = memory
        self.timeline = timeline
    }

    /// Connects their interrupts.
    func connect(to machine: VirtualMachine) throws(KVMError) {
        try machine.route(serial.interrupt, to: MachineLayout.serialGSI)
    }

    /// Ports of one byte, all of them; wider accesses find nothing.
    ///
    /// - Returns: nil where no port is.
    func read(port: UInt16, width: Int) -> UInt64? {
        guard width == 1 else { return nil }
        if let offset = Self.serialOffset(port) { return UInt64(serial.read(offset)) }
        switch port {
        // Its input buffer is empty: a driver that wants to write waits for that.
        case Port.keyboardStatus, Port.sleepControl, Port.sleepStatus, Port.reset: return 0
        default: return nil
        }
    }

    enum PortWrite {
        case done
        case nothing
        case end(MachineEnd)
    }

    func write(port: UInt16, width: Int, _ value: UInt64) -> PortWrite {
        guard width == 1 else { return .nothing }
        let byte = UInt8(truncatingIfNeeded: value)
        if let offset = Self.serialOffset(port) {
            serial.write(offset, byte)
            return .done
        }
        switch port {
        case GuestConvention.bootTimerPort:
            if byte == GuestConvention.bootTimerValue { timeline.markInit() }
            return .done
        case Port.keyboardStatus: return byte == Port.keyboardReset ? .end(reset()) : .done
        case Port.reset: return byte == MachineLayout.resetValue ? .end(reset()) : .done
        case Port.sleepControl: return MachineLayout.isPowerOff(sleepControl: byte) ? .end(.switchedOff) : .done
        case Port.sleepStatus: return .done
        default: return .nothing
        }
    }

    private func reset() -> MachineEnd {
        EndReason.afterReset(memory) == .panic ? .panicked : .restarted
    }

    private static func serialOffset(_ port: UInt16) -> UInt8? {
        let offset = port &- Port.serial
        return offset < Port.serialByteCount ? UInt8(truncatingIfNeeded: offset) : nil
    }
}
