// SPDX-License-Identifier: Apache-2.0
import Glibc
public import Linux
public import SandboxPlan
import Synchronization
public import Virtio

/// The virtio file system device, virtio 1.2 §5.11: a queue for what must not wait (hiprio), one for
/// requests, and a few workers that serve both.
public final class FileSystemDevice: VirtioDevice {
    /// As ``VirtioDevice/type``.
    public let type = VirtioDeviceType.fileSystem
    /// As ``VirtioDevice/features``.
    public let features: UInt64 = 0
    /// As ``VirtioDevice/queueSizes``.
    public let queueSizes: [UInt16] = [1024, 1024]
    /// As ``VirtioDevice/configuration``.
    public let configuration: [UInt8]

    private let server: FileServer
    private let workerCount: Int
    private let log: @Sendable (String) -> Void
    private var running: WorkerPool?

    /// - Parameter root: the tree, opened with O_PATH or for reading.
    /// - Parameter tag: what the guest mounts it by, 1 to 36 bytes.
    /// - Parameter workerCount: the requests served at the same time, at least 1.
    /// - Parameter inodeLimit: how many inodes the guest may know; nil: about a million.
    /// - Parameter log: told of a queue that broke, from any thread.
    public init(
        root: consuming FileDescriptor, tag: String, isReadOnly: Bool = false, cache: CachePolicy = .auto,
        workerCount: Int = 4, descriptorLimit: Int = 1024, inodeLimit: Int? = nil,
        log: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(FileSystemError) {
        guard let configuration = FileSystemConfiguration(tag: tag) else {
            throw .tag(tag)
        }
        self.configuration = configuration.bytes
        server = try FileServer(
            root: root, isReadOnly: isReadOnly, cache: cache, descriptorLimit: descriptorLimit,
            inodeLimit: inodeLimit ?? InodeTable.defaultLimit)
        self.workerCount = max(workerCount, 1)
        self.log = log
    }

    deinit {
        running?.stop()
    }

    /// As ``VirtioDevice/activate(_:)``.
    public func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        reset()
        guard activation.queues.count > 1, let requests = activation.queues[1] else { throw .queueMissing(1) }
        var queues = [requests]
        if let urgent = activation.queues[0] { queues.insert(urgent, at: 0) }
        do {
            running = try WorkerPool(
                server: server, memory: activation.memory, queues: queues, count: workerCount, log: log)
        } catch {
            throw .activation(operation: "start workers", errno: error.rawValue)
        }
    }

    /// Nothing in struct virtio_fs_config is the driver's to write.
    public func writeConfiguration(offset: Int, bytes: [UInt8]) {}

    /// Requests already taken are answered first. What the guest knows and has open stays: it ends with
    /// FUSE_DESTROY or the next FUSE_INIT, not when a front-end stops the queues.
    public func reset() {
        running?.stop()
        running = nil
    }
}
