import Boot
import SandboxPlan
import Serial
import Virtio

/// What a processor reaches beside memory: the registers of virtio devices, and the ports of the serial line, of
/// power, and of the boot timer. Called by all processors at once; what is behind it bears that.
///
/// Reading what is not there gives all ones, writing it does nothing, as on a real bus.
final class DeviceBus: Sendable {
    private let transports: [MMIOTransport]
    private let serial: Serial
    private let power: PowerPorts
    private let timeline: BootTimeline

    init(transports: [MMIOTransport], serial: Serial, power: PowerPorts, timeline: BootTimeline) {
        self.transports = transports
        self.serial = serial
        self.power = power
        self.timeline = timeline
    }

    /// - Returns: what stands at `address`, nil where nothing does.
    func read(_ address: UInt64, width: Int) -> UInt64? {
        guard let (slot, offset) = place(of: address) else { return nil }
        return transports[slot].read(offset, width: width)
    }

    /// - Returns: whether something is there.
    func write(_ address: UInt64, width: Int, _ value: UInt64) -> Bool {
        guard let (slot, offset) = place(of: address) else { return false }
        transports[slot].write(offset, width: width, value)
        return true
    }

    private func place(of address: UInt64) -> (slot: Int, offset: UInt64)? {
        guard MachineLayout.deviceWindow.contains(address) else { return nil }
        let offset = address &- MachineLayout.deviceWindow.lowerBound
        let slot = Int(offset / MachineLayout.deviceByteCount)
        return slot < transports.count ? (slot, offset % MachineLayout.deviceByteCount) : nil
    }

    /// Ports of one byte, all of them; wider accesses find nothing.
    func read(port: UInt16, width: Int) -> UInt64? {
        guard width == 1 else { return nil }
        if let offset = Self.serialOffset(port) { return UInt64(serial.read(offset)) }
        return power.read(port).map(UInt64.init)
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
        if port == GuestConvention.bootTimerPort {
            if byte == GuestConvention.bootTimerValue { timeline.markInit() }
            return .done
        }
        return power.write(port, byte)
    }

    private static func serialOffset(_ port: UInt16) -> UInt8? {
        let offset = port &- Serial.firstPort
        return offset < Serial.portCount ? UInt8(truncatingIfNeeded: offset) : nil
    }
}
