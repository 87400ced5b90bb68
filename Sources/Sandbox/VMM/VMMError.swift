// SPDX-License-Identifier: Apache-2.0
import Block
import Boot
import GuestMemory
import KVM
import Linux
import Net
import ProgramArguments
import VhostUser
import Virtio

/// Why fc-vmm does not start, or ends other than by its guest's end.
enum VMMError: Error, Equatable {
    /// The command line, or an order.
    case arguments(ArgumentError)
    case prepare(operation: String, Errno)
    case memory(GuestMemoryError)
    case kvm(KVMError)
    case boot(BootError)
    /// A device, by its title: `disk root-0`.
    case device(String, DeviceProblem)
    case repeatedName(String)
    case unknownName(String)
    /// An order that takes a descriptor came without one.
    case noDescriptor
    /// The guest would not learn of a change: of the device by this title.
    case notTold(String)
    case tooManyDevices(limit: Int)
    case ended(MachineEnd)
}

/// What can be wrong with a device.
enum DeviceProblem: Error, Equatable {
    /// The guest's driver, or the host, broke it, or it could not be made.
    case broken(VirtioError)
    /// The vhost-user connection to the process at its other end.
    case connection(VhostUserError)
    /// What it stands for on the host.
    case disk(BlockError)
    case network(NetError)
}

extension DeviceProblem: CustomStringConvertible {
    var description: String {
        switch self {
        case .broken(let error): "\(error)"
        case .connection(let error): "vhost-user: \(error)"
        case .disk(let error): "\(error)"
        case .network(let error): "\(error)"
        }
    }
}

extension VMMError: CustomStringConvertible {
    var description: String {
        switch self {
        case .arguments(let error): "\(error)"
        case .prepare(let operation, let error): "\(operation): \(error)"
        case .memory(let error): "guest memory: \(error)"
        case .kvm(let error): "\(error)"
        case .boot(let error): "\(error)"
        case .device(let title, let problem): "\(title): \(problem)"
        case .repeatedName(let id): "two devices are named \(id)"
        case .unknownName(let id): "no device is named \(id)"
        case .noDescriptor: "no descriptor came with the line"
        case .notTold(let title): "\(title): QEMU tells no guest of another size"
        case .tooManyDevices(let limit): "more devices than the \(limit) there is room for"
        case .ended(let end): "\(end)"
        }
    }
}
