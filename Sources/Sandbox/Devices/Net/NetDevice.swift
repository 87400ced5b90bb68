import GuestMemory
public import Linux
public import Metrics
public import RateLimiter
import Synchronization
public import Virtio

/// The network device, virtio 1.2 §5.1, on one ``Tap``, with one queue in each direction.
///
/// Frames are moved by the kernel between the tap and the guest's buffers, with checksums and segmentation left
/// to whoever does them last. Where the interface goes away the guest sees its link go down.
public final class NetDevice: VirtioDevice, Metered, @unchecked Sendable {
    // @unchecked: activation and reset are never concurrent; what others call is behind a lock or atomic.

    private let tap: Tap
    private let address: [UInt8]
    private let mtu: Int?
    private let loop: DeviceLoop
    private let events: NetWork.Events
    private let onLinkLost: @Sendable (Errno) -> Void
    private let link = Link()
    private let received = NetCounters()
    private let sent = NetCounters()
    private let limits: Mutex<(receive: RateLimits, transmit: RateLimits)>
    private let receiveLimits = PendingLimits()
    private let transmitLimits = PendingLimits()
    private let running = Mutex<NetWork?>(nil)

    /// Everything the device needs of the kernel is made here, but for what depends on the driver: TUNSETOFFLOAD.
    ///
    /// - Parameters:
    ///   - address: the guest's, six bytes, of one station.
    ///   - mtu: what the guest is told to keep to, in bytes; nil leaves it to the guest.
    ///   - onLinkLost: called once, on the loop's thread, when the interface has gone.
    public init(
        tap: Tap, address: [UInt8], mtu: Int? = nil, receive: RateLimits = .unlimited,
        transmit: RateLimits = .unlimited, loop: DeviceLoop,
        onLinkLost: @escaping @Sendable (Errno) -> Void = { _ in }
    ) throws(NetError) {
        guard address.count == 6, address[0] & 1 == 0, address.contains(where: { $0 != 0 }) else {
            throw .address(address)
        }
        if let mtu, !(68...65535).contains(mtu) { throw .mtu(mtu) }
        do { events = try NetWork.Events() } catch { throw .events(error) }
        self.tap = tap
        self.address = address
        self.mtu = mtu
        self.loop = loop
        self.onLinkLost = onLinkLost
        limits = Mutex((receive, transmit))
    }

    deinit { reset() }

    /// Other limits from now on, for frames to the guest and from it. Any thread may call it.
    public func update(receive: RateLimits, transmit: RateLimits) {
        limits.withLock { $0 = (receive, transmit) }
        receiveLimits.post(receive)
        transmitLimits.post(transmit)
        running.withLock { $0?.wake() }
    }

    /// Whether the interface is there.
    public var isLinkUp: Bool { link.isUp }

    public var metrics: [Metric] { received.metrics("received_") + sent.metrics("sent_") }

    // MARK: VirtioDevice

    public var type: VirtioDeviceType { .network }

    public var features: UInt64 {
        NetFeature.offered(tap.offloads) | NetFeature.address | NetFeature.mergeableBuffers | NetFeature.status
            | (mtu == nil ? 0 : NetFeature.mtu)
    }

    /// Receive, transmit.
    public var queueSizes: [UInt16] { [NetLimit.queueSize, NetLimit.queueSize] }

    /// struct virtio_net_config, virtio 1.2 §5.1.4: mac, status, max_virtqueue_pairs, mtu.
    public var configuration: [UInt8] {
        let mtu = mtu ?? 0
        return address + [link.isUp ? 1 : 0, 0, 1, 0, UInt8(mtu & 0xff), UInt8(mtu >> 8)]
    }

    /// Nothing in it can be written: the address is given.
    public func writeConfiguration(offset: Int, bytes: [UInt8]) {}

    public func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        reset()
        guard activation.queues.count >= 1, let receiveQueue = activation.queues[0] else { throw .queueMissing(0) }
        guard activation.queues.count >= 2, let transmitQueue = activation.queues[1] else { throw .queueMissing(1) }
        if link.isUp {
            do {
                try tap.set(NetFeature.offloads(activation.features))
            } catch  where error.rawValue != Self.noInterface {
                throw .activation(operation: "TUNSETOFFLOAD", errno: error.rawValue)
            } catch {}
        }
        // What was posted so far is in `limits` as well.
        _ = (receiveLimits.take(), transmitLimits.take())
        let current = limits.withLock { $0 }
        let configurationChanged = activation.configurationChanged
        let onLinkLost = onLinkLost
        let work: NetWork
        do {
            work = try NetWork(
                events: events, tap: tap, link: link, mtu: mtu, memory: activation.memory,
                features: activation.features, receiveQueue: receiveQueue, transmitQueue: transmitQueue,
                limits: NetWork.Limits(
                    receive: current.receive, transmit: current.transmit, pendingReceive: receiveLimits,
                    pendingTransmit: transmitLimits),
                received: received, sent: sent,
                lost: { error in
                    onLinkLost(error)
                    configurationChanged()
                })
        } catch { throw .activation(operation: "epoll_ctl", errno: error.rawValue) }
        let failed = activation.failed
        running.withLock { $0 = work }
        do {
            try loop.add(work, onFailure: failed)
        } catch {
            reset()
            throw .activation(operation: "epoll_ctl", errno: error.rawValue)
        }
    }

    /// EBADFD: the interface has gone. The first turn finds out, and tells.
    private static let noInterface: Int32 = 77

    public func reset() {
        guard let work = running.withLock({ $0.take() }) else { return }
        loop.remove(work)
        work.finish()
    }
}
