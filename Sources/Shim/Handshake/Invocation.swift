// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// What a shim is asked to do, as its arguments and environment say. Ids and namespaces are names, never paths.
public struct Invocation: Hashable, Sendable {
    /// What a shim can be asked.
    public enum Action: Hashable, Sendable {
        /// Find or start the shim of a container and print its address.
        case start
        /// Clean up what is left of a container whose shim is gone.
        case delete
        /// Be the shim.
        case serve
        /// `-v`: print the version.
        case version
        /// `-info`: print what the runtime can do.
        case info
    }

    /// What is asked.
    public var action: Action
    /// The id of the container.
    public var id = ""
    /// The containerd namespace of the container.
    public var namespace = ""
    /// containerd's main socket, as given; part of what the shim's own address is made of.
    public var containerdAddress = ""
    /// The path of containerd's socket for events; empty if there is none.
    public var ttrpcAddress = ""
    /// Whether to log more.
    public var isDebug = false
    /// Where to serve, where the socket is not handed down.
    public var socket: String?
    /// Absolute. Nil: the current directory.
    public var bundle: String?
    /// The newest version of the task service that containerd says it speaks.
    public var maximumVersion: Int?

    /// - Parameter arguments: the program's name first.
    public init(arguments: [String], environment: ShimEnvironment) throws(HandshakeError) {
        let flags = try Flags(arguments.dropFirst())
        maximumVersion = environment.maximumVersion
        if flags.isOn("v") || flags.isOn("version") {
            action = .version
            return
        }
        if flags.isOn("info") {
            action = .info
            return
        }
        guard flags.words.count <= 1 else { throw .unknownAction(flags.words.joined(separator: " ")) }
        switch flags.words.first {
        case "start": action = .start
        case "delete": action = .delete
        case nil, "serve": action = .serve
        case .some(let word): throw .unknownAction(word)
        }
        namespace = flags.values["namespace"] ?? environment.namespace
        id = flags.values["id"] ?? ""
        isDebug = flags.isOn("debug")
        containerdAddress = flags.values["address"] ?? environment.grpcAddress
        ttrpcAddress = Self.path(environment.ttrpcAddress)
        socket = flags.values["socket"].flatMap { $0.isEmpty ? nil : Self.path($0) }
        bundle = flags.values["bundle"].flatMap { $0.isEmpty ? nil : $0 }
        guard !namespace.isEmpty else { throw .missing(flag: "namespace") }
        guard !id.isEmpty else { throw .missing(flag: "id") }
        try ContainerID.check(namespace, "namespace")
        try ContainerID.check(id, "id")
        for (flag, path) in [("bundle", bundle), ("socket", socket)] {
            guard let path else { continue }
            guard path.begins(with: "/"), !path.utf8.contains(0) else { throw .relativePath(flag: flag, path) }
        }
    }

    /// The path in an address of a unix socket.
    static func path(_ address: String) -> String {
        address.after("unix://").map(String.init) ?? address
    }
}
