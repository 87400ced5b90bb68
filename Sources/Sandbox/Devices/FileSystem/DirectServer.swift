// SPDX-License-Identifier: Apache-2.0
public import Linux
public import SandboxPlan
public import Virtio

/// The file system served request by request on the caller's thread, for use without virtqueues: a
/// measurement, a fuzzer. Used by one thread, which gets a umask and a working directory of its own.
public final class DirectServer {
    private let server: FileServer
    private let exchange: Exchange

    /// - Parameter root: the tree, opened with O_PATH or for reading.
    public init(
        root: consuming FileDescriptor, isReadOnly: Bool = false, cache: CachePolicy = .auto,
        descriptorLimit: Int = 1024
    ) throws(FileSystemError) {
        server = try FileServer(root: root, isReadOnly: isReadOnly, cache: cache, descriptorLimit: descriptorLimit)
        do {
            exchange = Exchange(credentials: try Credentials())
        } catch {
            throw .worker(operation: "credentials", error)
        }
    }

    /// Serves one request: what its readable part says, answered in its writable part.
    ///
    /// - Returns: the bytes written; 0 where the request has no answer, or no room for it.
    public func serve(_ chain: DescriptorChain) -> UInt32 { server.serve(chain, on: exchange) }
}
