// SPDX-License-Identifier: Apache-2.0
/// How a call ended, in gRPC's numbers.
public struct StatusCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The number on the wire.
    public var rawValue: Int32

    /// Any number: those that are not known here are kept.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Success.
    public static let ok = StatusCode(rawValue: 0)
    /// The caller gave up.
    public static let cancelled = StatusCode(rawValue: 1)
    /// None of the others.
    public static let unknown = StatusCode(rawValue: 2)
    /// The request is wrong, whatever the state.
    public static let invalidArgument = StatusCode(rawValue: 3)
    /// The time for the call has passed; it may be carried out yet.
    public static let deadlineExceeded = StatusCode(rawValue: 4)
    /// There is no such thing.
    public static let notFound = StatusCode(rawValue: 5)
    /// There is one already.
    public static let alreadyExists = StatusCode(rawValue: 6)
    /// The caller may not.
    public static let permissionDenied = StatusCode(rawValue: 7)
    /// A limit is reached.
    public static let resourceExhausted = StatusCode(rawValue: 8)
    /// Not in this state.
    public static let failedPrecondition = StatusCode(rawValue: 9)
    /// Another call came between.
    public static let aborted = StatusCode(rawValue: 10)
    /// Past the end.
    public static let outOfRange = StatusCode(rawValue: 11)
    /// No such method.
    public static let unimplemented = StatusCode(rawValue: 12)
    /// A mistake of the callee's.
    public static let `internal` = StatusCode(rawValue: 13)
    /// The callee cannot be reached; it may be tried again.
    public static let unavailable = StatusCode(rawValue: 14)
    /// Data is lost or damaged.
    public static let dataLoss = StatusCode(rawValue: 15)
    /// The caller did not say who it is.
    public static let unauthenticated = StatusCode(rawValue: 16)

    private static let names = [
        "ok", "cancelled", "unknown", "invalid argument", "deadline exceeded", "not found", "already exists",
        "permission denied", "resource exhausted", "failed precondition", "aborted", "out of range",
        "unimplemented", "internal", "unavailable", "data loss", "unauthenticated",
    ]

    /// The error in words, for people and logs.
    public var description: String {
        Self.names.indices.contains(Int(rawValue)) ? Self.names[Int(rawValue)] : "code \(rawValue)"
    }
}

/// Why a call has no answer.
public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public var code: StatusCode
    /// For a person.
    public var message: String

    /// A failure of the kind `code`; `message` is for the caller to read.
    public init(_ code: StatusCode, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The error in words, for people and logs.
    public var description: String { "\(code): \(message)" }
}
