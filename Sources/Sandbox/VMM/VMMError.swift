import Block
import Boot
import GuestMemory
import KVM
import Linux
import Net
import VhostUser
import Virtio

/// Why fc-vmm does not start, or ends other than by its guest's end.
enum VMMError: Error, Equatable {
    case unknownFlag(String)
    case repeatedFlag(String)
    case missingFlag(String)
    case missingValue(flag: String)
    case badNumber(flag: String, value: String)
    /// Neither of the two things this program does.
    case mode(String)
    case badValue(flag: String, value: String)
    /// Two flags name one descriptor: each is to be owned once.
    case sharedDescriptor(flag: String, number: Int32)
    case descriptor(flag: String, number: Int32, Errno)
    case prepare(operation: String, Errno)
    case vhostUser(VhostUserError)
    case memory(GuestMemoryError)
    case kvm(KVMError)
    case boot(BootError)
    /// The back-end of the file system device.
    case share(VhostUserError)
    case disk(String, BlockError)
    /// A disk of QEMU's machine.
    case diskSession(String, VhostUserError)
    case network(String, NetError)
    case device(String, VirtioError)
    case repeatedName(String)
    case unknownName(String)
    case tooManyDevices(limit: Int)
    case ended(MachineEnd)
    /// The guest's driver broke the vsock device.
    case vsock(VirtioError)
}

extension VMMError: CustomStringConvertible {
    var description: String {
        switch self {
        case .unknownFlag(let flag): "unknown flag \(flag)"
        case .repeatedFlag(let flag): "\(flag) given twice"
        case .missingFlag(let flag): "\(flag) is missing"
        case .missingValue(let flag): "\(flag) needs a value"
        case .badNumber(let flag, let value): "\(flag): \"\(value)\" is no number in range"
        case .mode(let word): "\"\(word)\": the first word is \"devices\" or \"machine\""
        case .badValue(let flag, let value): "\(flag): \"\(value)\" is not understood"
        case .sharedDescriptor(let flag, let number): "\(flag): descriptor \(number) is named twice"
        case .descriptor(let flag, let number, let error): "\(flag): descriptor \(number): \(error)"
        case .prepare(let operation, let error): "\(operation): \(error)"
        case .vhostUser(let error): "vhost-user: \(error)"
        case .memory(let error): "guest memory: \(error)"
        case .kvm(let error): "\(error)"
        case .boot(let error): "\(error)"
        case .share(let error): "fs device: \(error)"
        case .disk(let id, let error): "disk \(id): \(error)"
        case .diskSession(let id, let error): "disk \(id): vhost-user: \(error)"
        case .network(let id, let error): "network \(id): \(error)"
        case .device(let name, let error): "\(name) device: \(error)"
        case .repeatedName(let id): "two devices are named \(id)"
        case .unknownName(let id): "no device is named \(id)"
        case .tooManyDevices(let limit): "more devices than the \(limit) there is room for"
        case .ended(let end): "\(end)"
        case .vsock(let error): "vsock device: \(error)"
        }
    }
}
