// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan
import GuestMemory
import Linux
import Synchronization
public import Virtio

/// The block device, virtio 1.2 §5.2, on one ``Disk``, with one queue.
///
/// Up to 128 requests are under way at once by io_uring(7) where this process may use it; elsewhere each is done
/// before the next. What is written is safe after a flush; at once, for a driver that cannot flush.
public final class BlockDevice: VirtioDevice, Metered, @unchecked Sendable {
    // @unchecked: activation and reset are never concurrent; what others call is behind a lock or atomic.

    private let disk: Disk
    private let identifier: [UInt8]
    private let loop: DeviceLoop
    private let ring: IORing?
    private let transfers = TransferTable(count: BlockLimit.transfers)
    /// What the loop waits for, where there is a ring: it, and the queue's kicks.
    private let events: Epoll
    private let limits: Mutex<RateLimits>
    private let pendingLimits = PendingLimits()
    private let counters = BlockCounters()
    private let running = Mutex<Running?>(nil)

    private struct Running: Sendable {
        let work: BlockWork
        let kick: BorrowedDescriptor
        let configurationChanged: @Sendable () -> Void
    }

    private enum Token {
        static let ring: UInt64 = 0
        static let kick: UInt64 = 1
    }

    /// Everything the device needs of the kernel is made here, except the loop's watch on it.
    ///
    /// - Parameters:
    ///   - identifier: what the guest reads as the disk's serial, at most 20 bytes of printable ASCII.
    ///   - usesRing: whether to take io_uring where there is one.
    public init(
        disk: Disk, identifier: String, limits: RateLimits = .unlimited, loop: DeviceLoop, usesRing: Bool = true
    ) throws(BlockError) {
        guard identifier.utf8.count <= BlockRequest.identifierCount, identifier.utf8.allSatisfy({ 0x20...0x7e ~= $0 })
        else { throw .identifier(identifier) }
        // Any reason not to have one will do: the other way always goes.
        let ring = usesRing ? try? IORing(on: disk.file, entryCount: UInt32(BlockLimit.transfers)) : nil
        events = try Self.events(watching: ring)
        self.disk = disk
        self.identifier = Array(identifier.utf8)
        self.loop = loop
        self.ring = ring
        self.limits = Mutex(limits)
    }

    deinit { reset() }

    private static func events(watching ring: IORing?) throws(BlockError) -> Epoll {
        do {
            let events = try Epoll()
            if let ring { try events.add(ring.readiness, .readable, token: Token.ring) }
            return events
        } catch { throw .events(error) }
    }

    /// Whether requests go through io_uring.
    public var usesRing: Bool { ring != nil }

    /// Other limits from now on. Any thread may call it.
    public func update(_ limits: RateLimits) {
        self.limits.withLock { $0 = limits }
        pendingLimits.post(limits)
        running.withLock { $0?.work.wake() }
    }

    /// Looks whether the disk has become larger or smaller, and if so tells the driver. Any thread may call it.
    public func refreshCapacity() throws(BlockError) {
        guard try disk.refresh() else { return }
        let tell = running.withLock { $0?.configurationChanged }
        tell?()
    }

    /// As ``Metered/metrics``.
    public var metrics: [Metric] { counters.metrics }

    // MARK: VirtioDevice

    /// As ``VirtioDevice/type``.
    public var type: VirtioDeviceType { .block }

    /// As ``VirtioDevice/features``.
    public var features: UInt64 {
        var bits = BlockFeature.segmentLimit | BlockFeature.blockSize | BlockFeature.topology | BlockFeature.flush
        if disk.isReadOnly { bits |= BlockFeature.readOnly }
        if disk.canDiscard { bits |= BlockFeature.discard | BlockFeature.writeZeroes }
        return bits
    }

    /// As ``VirtioDevice/queueSizes``.
    public var queueSizes: [UInt16] { [BlockLimit.queueSize] }

    /// As ``VirtioDevice/configuration``.
    public var configuration: [UInt8] { BlockConfiguration(disk).bytes }

    /// Nothing in it can be written: VIRTIO_BLK_F_CONFIG_WCE is not offered.
    public func writeConfiguration(offset: Int, bytes: [UInt8]) {}

    /// As ``VirtioDevice/activate(_:)``.
    public func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        reset()
        guard let first = activation.queues.first, let queue = first else { throw .queueMissing(0) }
        let kick = queue.kick.descriptor.borrowed
        // What was posted so far is in `limits` as well.
        _ = pendingLimits.take()
        let work = BlockWork(
            readiness: ring == nil ? kick : events.borrowed, queue: queue, memory: activation.memory,
            features: activation.features, disk: disk, identifier: identifier, ring: ring, transfers: transfers,
            limiter: RateLimiter(limits.withLock { $0 }, now: .now), pendingLimits: pendingLimits, counters: counters)
        let failed = activation.failed
        do {
            if ring != nil { try events.add(kick, .readable, token: Token.kick) }
        } catch { throw .activation(operation: "epoll_ctl", errno: error.rawValue) }
        let configurationChanged = activation.configurationChanged
        running.withLock { $0 = Running(work: work, kick: kick, configurationChanged: configurationChanged) }
        do {
            try loop.add(work, onFailure: failed)
        } catch {
            reset()
            throw .activation(operation: "epoll_ctl", errno: error.rawValue)
        }
    }

    /// As ``VirtioDevice/reset()``.
    public func reset() {
        guard let running = running.withLock({ $0.take() }) else { return }
        loop.remove(running.work)
        running.work.finish()
        // The transport closes it next: it must not stay behind in the set.
        if ring != nil { try? events.remove(running.kick) }
    }
}
