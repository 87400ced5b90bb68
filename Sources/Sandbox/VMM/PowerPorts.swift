import Boot
import GuestMemory

/// The ports by which a guest ends its machine, and what it leaves in memory to say why.
final class PowerPorts: Sendable {
    private let memory: GuestMemory

    init(memory: GuestMemory) {
        self.memory = memory
    }

    /// - Returns: nil where no port of power is.
    func read(_ port: UInt16) -> UInt8? {
        switch port {
        // Its input buffer is empty: a driver that wants to write waits for that.
        case Port.keyboardStatus, Port.sleepControl, Port.sleepStatus, Port.reset: 0
        default: nil
        }
    }

    func write(_ port: UInt16, _ value: UInt8) -> DeviceBus.PortWrite {
        switch port {
        case Port.keyboardStatus: value == Port.keyboardReset ? .end(reset()) : .done
        case Port.reset: value == MachineLayout.resetValue ? .end(reset()) : .done
        case Port.sleepControl: MachineLayout.isPowerOff(sleepControl: value) ? .end(.switchedOff) : .done
        case Port.sleepStatus: .done
        default: .nothing
        }
    }

    private func reset() -> MachineEnd {
        EndReason.afterReset(memory) == .panic ? .panicked : .restarted
    }
}
