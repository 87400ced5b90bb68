// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan
import GuestMemory
public import Linux
import Synchronization
public import Virtio

/// The network device, virtio 1.2 §5.1, on one ``Tap``, with one queue in each direction.
///
/// Frames are moved by the kernel between the tap and the guest's buffers, with checksums and segmentation left
/// to the side that does them last. Without a tap, or where its interface has gone away, the guest sees its link down and
/// its frames go nowhere; another tap brings the link up again.
public final class NetDevice: VirtioDevice, Metered, @unchecked Sendable {
    // @unchecked: activation and reset are never concurrent; what others call is behind a lock or atomic.

    private let address: [UInt8]
    private let mtu: Int?
    /// What is offered of them, whatever tap there is: one that comes later does as much.
    private let offloads: TapInterface.Offloads
    private let loop: DeviceLoop
    private let events: NetWork.Events
    private let onLinkLost: @Sendable (Errno) -> Void
    private let link: Link
    private let received = NetCounters()
    private let sent = NetCounters()
    private let limits: Mutex<(receive: RateLimits, transmit: RateLimits)>
    private let receiveLimits = PendingLimits()
    private let transmitLimits = PendingLimits()
    /// Taken before the loop's, and by nothing that the loop's thread does in a turn of the device.
    private let state: Mutex<State>

    private struct State {
        /// Its interface is gone where the link is down.
        var tap: Tap?
        /// Of its frames, in bytes; nil: 1500.
        var mtu: Int?
        /// From activation to reset.
        var running: Running?
    }

    private struct Running {
        let work: NetWork
        let configurationChanged: @Sendable () -> Void
    }

    /// Everything the device needs of the kernel is made here, except what depends on the driver: TUNSETOFFLOAD.
    ///
    /// - Parameters:
    ///   - tap: nil for a device that is given one later, ``attach(_:mtu:)``. It offers what every kernel's taps can do.
    ///   - address: the guest's, six bytes, of one station.
    ///   - mtu: the MTU offered to the guest, in bytes; nil leaves it to the guest.
    ///   - onLinkLost: called once for each tap, on the loop's thread, when the interface has gone.
    public init(
        tap: Tap?, address: [UInt8], mtu: Int? = nil, receive: RateLimits = .unlimited,
        transmit: RateLimits = .unlimited, loop: DeviceLoop,
        onLinkLost: @escaping @Sendable (Errno) -> Void = { _ in }
    ) throws(NetError) {
        guard address.count == 6, address[0] & 1 == 0, address.contains(where: { $0 != 0 }) else {
            throw .address(address)
        }
        if let mtu, !Self.mtus.contains(mtu) { throw .mtu(mtu) }
        do { events = try NetWork.Events() } catch { throw .events(error) }
        self.address = address
        self.mtu = mtu
        offloads = tap?.offloads ?? NetFeature.offloadsOfAnyTap
        link = Link(isUp: tap != nil)
        state = Mutex(State(tap: tap, mtu: mtu))
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
        state.withLock { $0.running?.work.wake() }
    }

    /// Connects the device to `tap`. Any thread may call it but one that is at a turn of the loop's for this device. A
    /// driver that runs is told that its link is up; the buffers that it gave are used.
    ///
    /// - Parameter mtu: of the frames that come, in bytes; nil: 1500. The driver is not told.
    /// - Throws: `attached`, `offloads` for a tap that does not do what the driver was promised, `mtu`, `tap`.
    public func attach(_ tap: Tap, mtu: Int? = nil) throws(NetError) {
        if let mtu, !Self.mtus.contains(mtu) { throw .mtu(mtu) }
        let told = try state.withLock { (state) throws(NetError) -> (@Sendable () -> Void)? in
            // The link says so, too, of a tap whose interface has gone and that the device still holds.
            guard !link.isUp else { throw .attached }
            let needed = state.running.map { NetFeature.offloads($0.work.features) } ?? offloads
            guard tap.offloads.isSuperset(of: needed) else {
                throw .offloads(lacking: needed.subtracting(tap.offloads))
            }
            if let work = state.running?.work {
                do throws(Errno) { try tap.set(needed) } catch { throw .tap(operation: "TUNSETOFFLOAD", error) }
                try plug(tap, mtu, into: work)
            } else {
                link.connect()
            }
            (state.tap, state.mtu) = (tap, mtu)
            return state.running?.configurationChanged
        }
        told?()
    }

    private func plug(_ tap: Tap, _ mtu: Int?, into work: NetWork) throws(NetError) {
        do throws(Errno) {
            try loop.betweenTurns(of: work) { () throws(Errno) in
                try work.plug(tap, mtu: mtu)
                // Before its next turn, which may find the interface gone.
                link.connect()
            }
        } catch {
            throw .tap(operation: "epoll_ctl", error)
        }
        work.wake()
    }

    /// Takes the device's tap away, if it has one, and closes it: no frame goes through it any more when this returns. Any
    /// thread may call it but one that is at a turn of the loop's for this device.
    public func detach() {
        let told = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.tap.take() != nil else { return nil }
            let wasUp = link.cut()
            if let work = state.running?.work {
                loop.betweenTurns(of: work) { work.unplug() }
                work.wake()
            }
            return wasUp ? state.running?.configurationChanged : nil
        }
        told?()
    }

    private static let mtus = 68...65535

    /// Whether the interface is there.
    public var isLinkUp: Bool { link.isUp }

    /// As ``Metered/metrics``.
    public var metrics: [Metric] { received.metrics("received_") + sent.metrics("sent_") }

    // MARK: VirtioDevice

    /// As ``VirtioDevice/type``.
    public var type: VirtioDeviceType { .network }

    /// As ``VirtioDevice/features``.
    public var features: UInt64 {
        NetFeature.offered(offloads) | NetFeature.address | NetFeature.mergeableBuffers | NetFeature.status
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

    /// As ``VirtioDevice/activate(_:)``.
    public func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        reset()
        guard activation.queues.count >= 1, let receiveQueue = activation.queues[0] else { throw .queueMissing(0) }
        guard activation.queues.count >= 2, let transmitQueue = activation.queues[1] else { throw .queueMissing(1) }
        // What was posted so far is in `limits` as well.
        _ = (receiveLimits.take(), transmitLimits.take())
        let current = limits.withLock { $0 }
        let configurationChanged = activation.configurationChanged
        let onLinkLost = onLinkLost
        let work: NetWork
        do {
            work = try NetWork(
                events: events, link: link, memory: activation.memory, features: activation.features,
                receiveQueue: receiveQueue, transmitQueue: transmitQueue,
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
        do throws(VirtioError) {
            try state.withLock { (state) throws(VirtioError) in
                state.running = Running(work: work, configurationChanged: configurationChanged)
                if let tap = state.tap, link.isUp { try connect(work, to: tap, state.mtu) }
                do throws(Errno) { try loop.add(work, onFailure: failed) } catch {
                    throw .activation(operation: "epoll_ctl", errno: error.rawValue)
                }
            }
        } catch {
            reset()
            throw error
        }
    }

    /// Before the work is on the loop.
    private func connect(_ work: NetWork, to tap: Tap, _ mtu: Int?) throws(VirtioError) {
        do {
            try tap.set(NetFeature.offloads(work.features))
        } catch  where error.rawValue != Self.noInterface {
            throw .activation(operation: "TUNSETOFFLOAD", errno: error.rawValue)
        } catch {}
        do { try work.plug(tap, mtu: mtu) } catch {
            throw .activation(operation: "epoll_ctl", errno: error.rawValue)
        }
    }

    /// EBADFD: the interface has gone. The first turn finds out, and tells.
    private static let noInterface: Int32 = 77

    /// As ``VirtioDevice/reset()``.
    public func reset() {
        state.withLock { state in
            guard let work = state.running.take()?.work else { return }
            loop.remove(work)
            work.finish()
        }
    }
}
