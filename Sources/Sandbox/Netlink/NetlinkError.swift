// SPDX-License-Identifier: Apache-2.0
public import Linux

/// Why a request of rtnetlink(7) came to nothing.
public enum NetlinkError: Error, Hashable, Sendable {
    /// The kernel refused it; `reason` is what it says of that, often nothing.
    case refused(operation: String, operand: String, Errno, reason: String)
    /// A call on the socket failed.
    case socket(operation: String, Errno)
    /// The kernel did not answer in time.
    case timedOut(operation: String, operand: String)
    /// The answer is no netlink message, or lacks what it must have.
    case malformed(operation: String)
    /// There are more of them than are read.
    case tooMany(operation: String, limit: Int)
    /// What is listed changed each time while it was read.
    case interrupted(operation: String)
    /// An attribute would be longer than any can be.
    case tooLong(operation: String, byteCount: Int)
    /// It is there, and has a property that a ``NetworkPlan`` has no word for.
    case unsupported(what: String, property: String)

    /// What the kernel answered, where it did.
    public var errno: Errno? {
        switch self {
        case .refused(_, _, let errno, _), .socket(_, let errno): errno
        default: nil
        }
    }
}

extension NetlinkError: CustomStringConvertible {
    /// For a person.
    public var description: String {
        switch self {
        case .refused(let operation, let operand, let errno, let reason):
            "\(operation)\(operand.isEmpty ? "" : " \(operand)"): \(errno)\(reason.isEmpty ? "" : " (\(reason))")"
        case .socket(let operation, let errno): "netlink: \(operation): \(errno)"
        case .timedOut(let operation, let operand):
            "\(operation)\(operand.isEmpty ? "" : " \(operand)"): the kernel did not answer in time"
        case .malformed(let operation): "\(operation): the kernel's answer is malformed"
        case .tooMany(let operation, let limit): "\(operation): there are more than \(limit)"
        case .interrupted(let operation): "\(operation): they changed each time while they were read"
        case .tooLong(let operation, let byteCount): "\(operation): \(byteCount) bytes are too many"
        case .unsupported(let what, let property): "\(what): \(property) is not supported"
        }
    }
}
