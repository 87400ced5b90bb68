// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import OCISpec
import SandboxPlan

/// `start`: prints the address of the shim that is to serve a container, and starts it where there is none. The
/// current directory is the container's bundle.
public struct StartCommand {
    /// The sandbox that a container's annotations make it part of, or nil where it is alone or the sandbox itself.
    public typealias SandboxRule = ([String: String]) throws(HandshakeError) -> String?

    /// Where sockets are, unless containerd says another place.
    public var socketDirectory = ShimSocket.directory
    /// What becomes the daemon.
    var program = "/proc/self/exe"
    /// How long it may take to serve.
    public var limit: Duration = .seconds(20)

    /// The values above.
    public init() {}

    /// All of standard input, which may be closed or nothing.
    public static func readInput() throws(HandshakeError) -> [UInt8] {
        do throws(Errno) {
            return try BorrowedDescriptor.standardInput.duplicate().readAll(limit: Bootstrap.inputLimit)
        } catch .badFileDescriptor {
            return []
        } catch Errno(rawValue: EFBIG) {
            throw .inputTooLong(limit: Bootstrap.inputLimit)
        } catch {
            throw .input(error)
        }
    }

    /// Finds or starts the shim, and writes its address into the bundle.
    ///
    /// - Parameters:
    ///   - input: what `readInput` gave.
    ///   - sandbox: whom the annotations of the bundle's config.json make it part of.
    /// - Returns: the bytes to print on standard output. Nothing may be printed on standard error, which containerd
    ///   takes for a part of them.
    public func run(
        _ invocation: Invocation, input: [UInt8], sandbox: SandboxRule
    ) throws(HandshakeError) -> [UInt8] {
        let bootstrap = try Bootstrap(input, for: invocation)
        if let bundle = invocation.bundle {
            do {
                try Process.changeDirectory(to: bundle)
            } catch {
                throw .bundleFile(operation: "enter", name: bundle, error)
            }
        }
        let group = try Self.group(of: invocation.id, sandbox)
        let path = try ShimSocket.path(
            containerd: invocation.containerdAddress, namespace: invocation.namespace, group: group,
            directory: bootstrap.socketDirectory.isEmpty ? socketDirectory : bootstrap.socketDirectory)
        let address = "unix://" + path
        switch try ShimSocket.claim(path) {
        case .served:
            try BundleFile.write(Array(address.utf8), to: BundleFile.address)
        case .listening(let listener):
            do throws(HandshakeError) {
                try BundleFile.write(Array(address.utf8), to: BundleFile.address)
                try Daemon(invocation, bootstrap, program: program).start(listener, limit: limit)
            } catch {
                // While it is still ours: a socket that is listened on is not replaced.
                try? ShimSocket.removeSocket(path)
                try? Directory.remove(BundleFile.address, isDirectory: false)
                throw error
            }
        }
        return bootstrap.answer(address: address)
    }

    /// Whose shim is to serve the container `id`: its sandbox's, or its own.
    private static func group(of id: String, _ sandbox: SandboxRule) throws(HandshakeError) -> String {
        // A sandbox that is made by the sandbox service may have no document.
        guard let document = try BundleFile.read("config.json", limit: Spec.byteLimit) else { return id }
        let annotations: [String: String]
        do {
            annotations = try Spec.annotations(of: document)
        } catch {
            throw .document(error)
        }
        guard let group = try sandbox(annotations) else { return id }
        try ContainerID.check(group, "sandbox id")
        return group
    }
}
