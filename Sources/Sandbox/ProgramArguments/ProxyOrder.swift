// SPDX-License-Identifier: Apache-2.0
/// An order to fc-proxy: a packet on the socket that it is started with. It is not on the command line, which is that of the
/// process that fc-proxy stands for, as ps shows it.
public struct ProxyOrder: Hashable, Sendable {
    /// What is ordered.
    public enum Kind: UInt8, Sendable {
        /// Enter the namespaces of the process whose pidfd comes along; the word is the process name to take. Answered.
        case enter = 1
        /// Make the mount at ``ProxyOrder/heldRoot`` the root, and hold the namespaces until the pipe at
        /// ``ProxyOrder/heldPipe`` has no writer. Answered.
        case hold = 2
        /// Stand for a process: ``ProxyArguments``.
        case serve = 3
    }

    /// A variable of fc-proxy's environment: it takes orders.
    public static let variable = "FC_PROXY_ORDERS"
    /// The descriptor of the socket, in fc-proxy.
    public static let socket: Int32 = 3
    /// The descriptor of the root to hold, in fc-proxy.
    public static let heldRoot: Int32 = 4
    /// The descriptor of the pipe whose writers it waits for, in fc-proxy.
    public static let heldPipe: Int32 = 5
    /// The longest order, in bytes.
    public static let byteLimit = 65536
    /// The most descriptors of an order.
    public static let descriptorLimit = 8

    /// What is ordered.
    public var kind: Kind
    /// Arguments of the order, without NUL.
    public var words: [String]

    /// An order with its words.
    public init(_ kind: Kind, _ words: [String] = []) {
        self.kind = kind
        self.words = words
    }

    /// Reads an order; nil if it is none, as at the end of the connection.
    public init?(_ bytes: [UInt8]) {
        guard let first = bytes.first, let kind = Kind(rawValue: first) else { return nil }
        self.kind = kind
        words = bytes.dropFirst().split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// The kind, then each word, terminated by a NUL.
    public var bytes: [UInt8] { words.reduce(into: [kind.rawValue]) { $0 += Array($1.utf8) + [0] } }
}
