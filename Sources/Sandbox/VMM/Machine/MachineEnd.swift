// SPDX-License-Identifier: Apache-2.0
import KVM
import Linux
import Synchronization
import Virtio

/// Why a machine is no more.
enum MachineEnd: Error, Equatable {
    /// The guest restarted it, which is how its init leaves.
    case restarted
    /// The guest's kernel panicked, and restarted it.
    case panicked
    /// The guest switched it off.
    case switchedOff
    /// A processor met a fault while it handled a double fault.
    case tripleFault(processor: Int)
    /// The processor could not begin, or go on: KVM_EXIT_FAIL_ENTRY, KVM_EXIT_INTERNAL_ERROR.
    case failedEntry(processor: Int, reason: UInt64)
    case internalError(processor: Int, suberror: UInt32)
    /// An exit that nothing here asked for.
    case unknownExit(processor: Int, reason: UInt32)
    /// The guest went on and on reaching for what is not there.
    case lostAccesses(processor: Int, address: UInt64, isPort: Bool)
    case kvm(processor: Int, KVMError)
    /// A device that the machine is of no use without.
    case device(name: String, VirtioError)
    /// The loop of the devices.
    case loop(Errno)

    /// Whether the guest meant it.
    var isOrderly: Bool { self == .restarted || self == .switchedOff }
}

extension MachineEnd: CustomStringConvertible {
    var description: String {
        switch self {
        case .restarted: "the guest restarted the machine"
        case .panicked: "the guest's kernel panicked"
        case .switchedOff: "the guest switched the machine off"
        case .tripleFault(let processor): "the guest's processor \(processor) met a triple fault"
        case .failedEntry(let processor, let reason):
            "the guest's processor \(processor) could not be entered: hardware reason 0x\(String(reason, radix: 16))"
        case .internalError(let processor, let suberror):
            "KVM cannot go on with the guest's processor \(processor): internal error \(suberror)"
        case .unknownExit(let processor, let reason):
            "the guest's processor \(processor) stopped for a reason not known here: \(reason)"
        case .lostAccesses(let processor, let address, let isPort):
            "the guest's processor \(processor) reached \(LostAccesses.limit) times for what is not there, last at "
                + "\(isPort ? "port" : "address") 0x\(String(address, radix: 16))"
        case .kvm(let processor, let error): "the guest's processor \(processor): \(error)"
        case .device(let name, let error): "\(name) device: \(error)"
        case .loop(let error): "device loop: \(error)"
        }
    }
}

/// Where a machine's end is reported, by any thread that sees it; the first report counts.
final class MachineEnding: Sendable {
    private let first = Mutex<MachineEnd?>(nil)
    private let hasEnded = Atomic(false)
    private let onEnd: @Sendable () -> Void

    /// - Parameter onEnd: called once, by the first thread that reports an end.
    init(onEnd: @escaping @Sendable () -> Void) {
        self.onEnd = onEnd
    }

    func tell(_ end: MachineEnd) {
        let isFirst = first.withLock { first in
            if first != nil { return false }
            first = end
            return true
        }
        guard isFirst else { return }
        hasEnded.store(true, ordering: .releasing)
        onEnd()
    }

    var isOver: Bool { hasEnded.load(ordering: .acquiring) }

    var reason: MachineEnd? { first.withLock { $0 } }
}
