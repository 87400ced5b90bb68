public import Linux
public import Virtio

/// The socket device, virtio 1.2 §5.10, streams only. Its host side is unix sockets:
///
/// - a host peer connects to the listening socket, writes `CONNECT <port>\n` and reads `OK <host port>\n` once
///   the guest has accepted, or is hung up on; then come the bytes;
/// - what the guest connects to at context 2 goes to the socket `vsock_<port>` in the given directory, and is
///   reset where nobody listens.
///
/// A thread of its own serves everything between ``activate(_:)`` and ``reset()``; host peers that come before
/// wait in the listener's backlog.
public final class VsockDevice: VirtioDevice {
    private let guestCID: UInt64
    private let listener: FileDescriptor
    private let directory: FileDescriptor
    private let limits: VsockLimits
    private let onFailure: @Sendable (VirtioError) -> Void
    private var running: Running?

    /// What stops with ``reset()``.
    private final class Running {
        let stop: StopSignal
        var thread: Thread?

        init(stop: StopSignal) {
            self.stop = stop
        }

        func end() {
            stop.event.signal()
            if let thread = thread.take() { thread.join() }
        }
    }

    /// - Parameters:
    ///   - guestCID: the guest's context identifier, from 3 to 0xffff_fffe.
    ///   - listener: a listening unix stream socket.
    ///   - directory: where the host's ports are.
    ///   - onFailure: called on the device's thread when the driver broke the device; every connection is
    ///     then closed.
    public init(
        guestCID: UInt64, listener: consuming FileDescriptor, directory: consuming FileDescriptor,
        limits: VsockLimits = VsockLimits(), onFailure: @escaping @Sendable (VirtioError) -> Void
    ) throws(Errno) {
        try listener.setNonBlocking(true)
        self.guestCID = guestCID
        self.listener = listener
        self.directory = directory
        self.limits = limits
        self.onFailure = onFailure
    }

    deinit { running?.end() }

    public var type: VirtioDeviceType { .vsock }

    /// VIRTIO_VSOCK_F_STREAM.
    public var features: UInt64 { 1 << 0 }

    /// Receive, transmit, event.
    public var queueSizes: [UInt16] { [256, 256, 64] }

    /// struct virtio_vsock_config, virtio 1.2 §5.10.4.
    public var configuration: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: guestCID >> (8 * $0)) } }

    /// The guest's context identifier is the host's to give.
    public func writeConfiguration(offset: Int, bytes: [UInt8]) {}

    public func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        reset()
        guard activation.queues.count >= 1, let receiveQueue = activation.queues[0] else { throw .queueMissing(0) }
        guard activation.queues.count >= 2, let transmitQueue = activation.queues[1] else { throw .queueMissing(1) }
        let loop: EventLoop
        let stop: StopSignal
        do {
            stop = try StopSignal()
            loop = try EventLoop(
                guestCID: guestCID, listener: listener.rawValue, limits: limits, memory: activation.memory,
                receiveQueue: receiveQueue, transmitQueue: transmitQueue, stop: stop)
        } catch {
            throw .activation(operation: "vsock event loop", errno: error.rawValue)
        }
        let running = Running(stop: stop)
        let directory = directory.rawValue
        let onFailure = onFailure
        do {
            running.thread = try Thread(named: "vsock") {
                do {
                    try UnixPorts.enter(directory: directory)
                    try loop.run()
                } catch let error as VirtioError {
                    onFailure(error)
                } catch let error as Errno {
                    onFailure(.activation(operation: "fchdir", errno: error.rawValue))
                } catch {}
            }
        } catch {
            throw .activation(operation: "pthread_create", errno: error.rawValue)
        }
        self.running = running
    }

    public func reset() {
        running?.end()
        running = nil
    }
}
