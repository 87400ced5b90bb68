// SPDX-License-Identifier: Apache-2.0
public import Linux

/// What is wrong with a disk that is handed over, or with what the device runs on.
public enum BlockError: Error, Equatable {
    /// `operation` on the disk's descriptor failed.
    case disk(operation: String, Errno)
    /// The descriptor is neither a regular file's nor a block device's; `mode` as stat(2) tells it.
    case kind(mode: UInt32)
    /// Open for something else than was asked for; `flags` as F_GETFL tells them.
    case access(flags: Int32)
    /// Open with O_APPEND: writes would go to the end, wherever they belong.
    case appends
    /// Not one whole sector of 512 bytes.
    case empty(byteCount: UInt64)
    /// More than 20 bytes, or not of printable ASCII.
    case identifier(String)
    /// The event loop's descriptors could not be made.
    case events(Errno)
}

extension BlockError: CustomStringConvertible {
    /// For messages, in English.
    public var description: String {
        switch self {
        case .disk(let operation, let error): "\(operation): \(error)"
        case .kind(let mode): "neither a regular file nor a block device (mode 0\(String(mode, radix: 8)))"
        case .access(let flags): "not open for what it is to be used for (flags 0\(String(flags, radix: 8)))"
        case .appends: "open for appending: writes would not go where they belong"
        case .empty(let byteCount): "\(byteCount) bytes are not one sector of 512"
        case .identifier(let text): "identifier \"\(text)\": not at most 20 bytes of printable ASCII"
        case .events(let error): "event loop: \(error)"
        }
    }
}
