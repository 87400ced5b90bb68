// SPDX-License-Identifier: Apache-2.0
public import Linux
import Synchronization
public import Virtio

/// The socket device, virtio 1.2 §5.10, streams only. Its host side is unix sockets:
///
/// - a host peer connects to the listening socket, writes `CONNECT <port>\n` and reads `OK <host port>\n` once
///   the guest has accepted, or is hung up on; then come the bytes;
/// - what the guest connects to at context 2 goes to the socket `vsock_<port>` in the working directory of the thread
///   that runs the loop, and is reset where no process listens. There is no connect(2) relative to a descriptor, so
///   the thread that runs the loop goes there first, with ``Linux/Thread/enter(directory:)``.
///
/// The loop serves everything between ``activate(_:)`` and ``reset()``; host peers that come before wait in the
/// listener's backlog.
public final class VsockDevice: VirtioDevice, Metered, Sendable {
    /// What went through it, however often its driver reset it.
    private let counters = VsockCounters()
    private let guestCID: UInt64
    private let listener: FileDescriptor
    private let limits: VsockLimits
    private let loop: DeviceLoop
    private let running = Running()

    /// The work that is on the loop. When it fails it goes, and every connection with it.
    private final class Running: Sendable {
        private let work = Mutex<VsockWork?>(nil)

        func set(_ new: VsockWork) { work.withLock { $0 = new } }

        /// - Parameter identifier: of the work meant, where another may have followed it; nil means any.
        @discardableResult
        func take(_ identifier: ObjectIdentifier? = nil) -> VsockWork? {
            work.withLock { work in
                guard let current = work, identifier.map({ $0 == ObjectIdentifier(current) }) ?? true else {
                    return nil
                }
                work = nil
                return current
            }
        }
    }

    /// - Parameters:
    ///   - guestCID: the guest's context identifier, from 3 to 0xffff_fffe.
    ///   - listener: a listening unix stream socket.
    ///   - loop: what gives the device its turns. When the driver breaks the device, its connections are closed.
    public init(
        guestCID: UInt64, listener: consuming FileDescriptor, limits: VsockLimits = VsockLimits(), loop: DeviceLoop
    ) throws(Errno) {
        try listener.setNonBlocking(true)
        self.guestCID = guestCID
        self.listener = listener
        self.limits = limits
        self.loop = loop
    }

    deinit { reset() }

    /// As ``Metered/metrics``.
    public var metrics: [Metric] { counters.metrics }

    /// As ``VirtioDevice/type``.
    public var type: VirtioDeviceType { .vsock }

    /// VIRTIO_VSOCK_F_STREAM.
    public var features: UInt64 { 1 << 0 }

    /// Receive, transmit, event.
    public var queueSizes: [UInt16] { [256, 256, 64] }

    /// struct virtio_vsock_config, virtio 1.2 §5.10.4.
    public var configuration: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: guestCID >> (8 * $0)) } }

    /// The guest's context identifier is the host's to give.
    public func writeConfiguration(offset: Int, bytes: [UInt8]) {}

    /// As ``VirtioDevice/activate(_:)``.
    public func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        reset()
        guard activation.queues.count >= 1, let receiveQueue = activation.queues[0] else { throw .queueMissing(0) }
        guard activation.queues.count >= 2, let transmitQueue = activation.queues[1] else { throw .queueMissing(1) }
        let work: VsockWork
        do {
            work = try VsockWork(
                guestCID: guestCID, listener: listener.borrowed, limits: limits, memory: activation.memory,
                receiveQueue: receiveQueue, transmitQueue: transmitQueue, counters: counters)
        } catch {
            throw .activation(operation: "vsock epoll set", errno: error.rawValue)
        }
        let (running, failed) = (running, activation.failed)
        let identifier = ObjectIdentifier(work)
        running.set(work)
        do {
            try loop.add(work) { error in
                running.take(identifier)
                failed(error)
            }
        } catch {
            running.take(identifier)
            throw .activation(operation: "vsock on its loop", errno: error.rawValue)
        }
    }

    /// As ``VirtioDevice/reset()``.
    public func reset() {
        if let work = running.take() { loop.remove(work) }
        counters.connections.set(0)
    }
}
