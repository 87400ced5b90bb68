// SPDX-License-Identifier: Apache-2.0
/// A JSON text as a value. Objects keep their members in the order they were written.
enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// A number without fraction or exponent, of at most 64 bits.
    case integer(negative: Bool, magnitude: UInt64)
    /// Any other number, as written. No field of the documents takes one.
    case otherNumber(String)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    /// What an error calls this value.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer, .otherNumber: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

struct JSONMember: Equatable, Sendable {
    let key: String
    let value: JSONValue
}

/// The bounds on a document, whose author is not trusted.
enum Limit {
    /// Bytes of a whole document. Most (seccomp profile, many mounts) have less than 200 KiB, but all the arguments that
    /// execve(2) takes are to fit.
    static let document = 16 << 20
    /// Arrays and objects within one another.
    static let depth = 64
    /// Values of all kinds in a document.
    static let values = 1 << 20
    /// Bytes of one argument or environment entry: the kernel's MAX_ARG_STRLEN less its NUL.
    static let argument = (128 << 10) - 1
    /// Bytes of all arguments and the environment, each with its NUL and the pointer to it: three quarters of _STK_LIM,
    /// which the kernel takes where RLIMIT_STACK allows it.
    static let arguments = 6 << 20
    /// Bytes of a path: PATH_MAX less its NUL.
    static let path = 4095
    /// Bytes of a host or domain name: __NEW_UTS_LEN.
    static let hostname = 64
    /// Bytes of one mount option; mount(2) takes one page of them all.
    static let mountOption = 4095
    /// Supplementary groups of a process: NGROUPS_MAX.
    static let groups = 65536
}
