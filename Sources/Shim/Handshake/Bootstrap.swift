// SPDX-License-Identifier: Apache-2.0
public import TaskProtocol

/// What containerd says on `start`'s standard input, and how it wants to be answered.
public struct Bootstrap: Sendable {
    /// The ways a shim tells its address.
    public enum Generation: Hashable, Sendable {
        /// containerd 1.6: the address and nothing else.
        case plain
        /// containerd 1.7 to 2.2: a JSON object that says the version of the task service as well.
        case json(version: Int)
        /// containerd 2.3: a BootstrapResult.
        case message
    }

    /// How containerd wants to be answered.
    public let generation: Generation
    /// The runtime's options: what 1.6 to 2.2 send, or the first extension that 2.3 does.
    public private(set) var options: AnyMessage?
    /// What 2.3 says in its message rather than in the environment; empty where it does not.
    public private(set) var ttrpcAddress = ""
    /// Where to put the socket; empty: the shim's choice.
    public private(set) var socketDirectory = ""
    /// Whether to log more.
    public private(set) var isDebug = false

    /// The newest version of the task service that is served.
    static let newestVersion = 3
    /// The most bytes of standard input.
    public static let inputLimit = 4 << 20

    /// - Parameter input: all of standard input; older versions may send nothing.
    public init(_ input: [UInt8], for invocation: Invocation) throws(HandshakeError) {
        // Options read as parameters too, as the numbers of the fields are the same. Only the ids tell them apart.
        if !input.isEmpty, let parameters = try? BootstrapParams(decoding: input),
            parameters.instanceID == invocation.id, parameters.namespace == invocation.namespace
        {
            generation = .message
            options = parameters.extensions.lazy.compactMap(\.value).first
            ttrpcAddress = Invocation.path(parameters.containerdTTRPCAddress)
            socketDirectory = parameters.socketDir
            // Zero is info; what says more is below it, by fours.
            isDebug = parameters.logLevel <= -4
            return
        }
        if let version = invocation.maximumVersion, version >= 2 {
            generation = .json(version: min(version, Self.newestVersion))
        } else {
            generation = .plain
        }
        guard !input.isEmpty else { return }
        do {
            options = try AnyMessage(decoding: input)
        } catch {
            throw .message(error)
        }
    }

    /// The cgroup that the options, where they are runc's, name for the shim; empty for none.
    func shimCgroup() throws(HandshakeError) -> String {
        guard let options, options.isA(TypeName.runcOptions) else { return "" }
        do { return try RuncOptions(decoding: options.value).shimCgroup } catch { throw .message(error) }
    }

    /// The bytes to print.
    public func answer(address: String) -> [UInt8] {
        switch generation {
        case .plain:
            return Array(address.utf8)
        case .json(let version):
            // Addresses are made here, of characters that JSON takes as they are.
            return Array("{\"version\":\(version),\"address\":\"\(address)\",\"protocol\":\"ttrpc\"}".utf8)
        case .message:
            var result = BootstrapResult()
            result.version = Int32(Self.newestVersion)
            result.address = address
            result.protocol = "ttrpc"
            return result.encoded()
        }
    }
}
