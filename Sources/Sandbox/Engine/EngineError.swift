// SPDX-License-Identifier: Apache-2.0
public import Linux
public import ProgramArguments
import SandboxPlan

/// What can go wrong before the machine's programs are started.
public enum EngineError: Error, Hashable, Sendable {
    /// Engine `kvm` was asked for, and the host cannot run it.
    case notUsable(cause: String, cure: String)
    /// A file that the engine opens for its programs.
    case open(what: String, path: String, Errno)
    /// A file that a program of the engine's, which runs as this user, could not open.
    case notReadable(path: String, uid: UInt32)
    /// Separated by spaces on the guest's command line, an argument may hold none, nor control characters.
    case invalidKernelArgument(String)
    case invalidMemory(byteCount: UInt64)
    case invalidProcessorCount(Int)
    case invalidGuestCID(UInt64)
    case invalidDiskSerial(String)
    case repeatedDiskSerial(String)
    case tooManyDisks(Int)
    case tooManyNetworkSlots(Int)
    /// More than a machine whose kernel is told of its devices on its command line has room for.
    case tooManyDevices(disks: Int, networkSlots: Int)
    case makeChannel(String, Errno)
    /// A program's arguments that it would refuse.
    case arguments(program: String, ArgumentError)
}

extension EngineError: CustomStringConvertible {
    /// For a person.
    public var description: String {
        switch self {
        case .notUsable(let cause, let cure): "engine \"kvm\": \(cause): \(cure), or use \"qemu\" or \"auto\""
        case .open(let what, let path, let error): "\(what) \(path): \(error)"
        case .notReadable(let path, let uid): "\(path): user \(uid), who QEMU runs as, may not read it: use chmod a+r"
        case .invalidKernelArgument(let argument): "kernel argument \"\(argument)\" has a space or a control character"
        case .invalidMemory(let byteCount): "\(byteCount) bytes of memory: not a multiple of 1 MiB from 32 MiB to 1 TiB"
        case .invalidProcessorCount(let count): "\(count) virtual processors: not 1 to 255"
        case .invalidGuestCID(let cid): "guest cid \(cid): not 3 to 4294967294"
        case .invalidDiskSerial(let serial): "disk serial \"\(serial)\": not 1 to 20 of A-Z a-z 0-9 . _ -"
        case .repeatedDiskSerial(let serial): "two disks have the serial \(serial)"
        case .tooManyDisks(let count): "\(count) disks: a machine has room for \(MachinePlan.diskLimit)"
        case .tooManyNetworkSlots(let count):
            "\(count) network slots: a machine has room for \(MachinePlan.networkSlotLimit)"
        case .tooManyDevices(let disks, let networkSlots):
            "\(disks) disks and \(networkSlots) network slots: a machine of this kernel has room for "
                + "\(MachinePlan.diskLimit) together"
        case .makeChannel(let name, let error): "make the channel of \(name): \(error)"
        case .arguments(let program, let error): "\(program): \(error)"
        }
    }
}
