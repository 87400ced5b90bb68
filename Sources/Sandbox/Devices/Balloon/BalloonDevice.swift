// SPDX-License-Identifier: Apache-2.0
internal import Synchronization
public import Virtio

/// The balloon device, virtio 1.2 §5.5: takes pages from the guest and gives them back, learns of pages it does not
/// use, and asks how its memory stands.
///
/// A driver that runs out of memory may take pages back without being told to. The contents of pages that the
/// guest gave away or reported are gone: they read as zeros.
public final class BalloonDevice: VirtioDevice, @unchecked Sendable {
    // @unchecked: the work is the transport's to start and stop, one call at a time; the rest is constant or locked.
    private let loop: DeviceLoop
    private let state: BalloonState
    private var work: BalloonWork?
    /// What tells the driver of a new target, while there is one.
    private let configurationChanged = Mutex<(@Sendable () -> Void)?>(nil)

    /// The unit of the balloon whatever the guest's pages are, §5.5.6.
    public static let pageByteCount: UInt64 = 4096

    /// - Throws: where the host gives no eventfd.
    public init(loop: DeviceLoop) throws(VirtioError) {
        self.loop = loop
        do {
            state = try BalloonState()
        } catch {
            throw .activation(operation: "eventfd", errno: error.rawValue)
        }
    }

    deinit { reset() }

    /// Asks the guest to give away `byteCount` bytes of its memory in all, rounded down to pages. It may take its
    /// time, and need not come that far: see ``actualByteCount``. Any thread may call this.
    public func setTarget(byteCount: UInt64) {
        state.target.store(UInt32(clamping: byteCount / Self.pageByteCount), ordering: .sequentiallyConsistent)
        // Outside the lock: the transport reads the configuration again.
        let tell = configurationChanged.withLock { $0 }
        tell?()
    }

    /// What ``setTarget(byteCount:)`` asked for last.
    public var targetByteCount: UInt64 {
        UInt64(state.target.load(ordering: .relaxed)) * Self.pageByteCount
    }

    /// What the driver says it has given away.
    public var actualByteCount: UInt64 {
        UInt64(state.actual.load(ordering: .relaxed)) * Self.pageByteCount
    }

    /// Asks the guest for new figures of its memory; they are in ``statistics`` when it has answered, if it does.
    /// Any thread may call this.
    public func requestStatistics() { state.wake.signal() }

    /// The guest's figures, as of its last answer.
    public var statistics: BalloonStatistics { state.statistics.withLock { $0 } }

    /// As ``VirtioDevice/type``.
    public var type: VirtioDeviceType { .balloon }

    /// As ``VirtioDevice/features``.
    public var features: UInt64 {
        BalloonFeature.statistics | BalloonFeature.deflateOnOutOfMemory | BalloonFeature.pageReporting
    }

    /// Inflate, deflate, statistics, and twice the reports of free pages: see ``BalloonQueues``.
    public var queueSizes: [UInt16] { [128, 128, 16, 64, 64] }

    /// struct virtio_balloon_config, §5.5.4, without the fields of features not offered: the pages wanted, then
    /// those the driver has given.
    public var configuration: [UInt8] {
        let fields = [state.target.load(ordering: .sequentiallyConsistent), state.actual.load(ordering: .relaxed)]
        return fields.flatMap { field in (0..<4).map { UInt8(truncatingIfNeeded: field >> (8 * $0)) } }
    }

    /// `actual` is the driver's to write.
    public func writeConfiguration(offset: Int, bytes: [UInt8]) {
        var actual = state.actual.load(ordering: .relaxed)
        for (position, byte) in zip(offset..., bytes) where (4..<8).contains(position) {
            let shift = 8 * (position - 4)
            actual = actual & ~(0xff << shift) | UInt32(byte) << shift
        }
        state.actual.store(actual, ordering: .relaxed)
    }

    /// As ``VirtioDevice/activate(_:)``.
    public func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        reset()
        let queues = try BalloonQueues(activation.queues, features: activation.features)
        let changed = activation.configurationChanged
        let work = try BalloonWork(memory: activation.memory, queues: queues, state: state)
        do {
            try loop.add(work, onFailure: activation.failed)
        } catch {
            throw .activation(operation: "balloon device on its loop", errno: error.rawValue)
        }
        self.work = work
        configurationChanged.withLock { $0 = changed }
        // The driver has not been told of a target that was set since its reset.
        if targetByteCount > 0 { changed() }
    }

    /// As ``VirtioDevice/reset()``.
    public func reset() {
        configurationChanged.withLock { $0 = nil }
        // A driver that begins anew has nothing in its balloon.
        state.actual.store(0, ordering: .relaxed)
        guard let work = work.take() else { return }
        loop.remove(work)
        work.letGo()
    }
}

extension BalloonDevice: Metered {
    /// The device's own figures, then those of the guest's that it has told, as `guest_…`.
    public var metrics: [Metric] {
        [
            Metric("target_bytes", targetByteCount), Metric("actual_bytes", actualByteCount),
            Metric("inflated_pages", state.inflatedPages), Metric("deflated_pages", state.deflatedPages),
            Metric("reported_bytes", state.reportedBytes), Metric("refused_pages", state.refusedPages),
            Metric("failed_discards", state.failedDiscards),
        ] + statistics.metrics
    }
}
