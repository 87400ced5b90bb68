// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan
public import Virtio

/// The entropy device, virtio 1.2 §5.4: random bytes of the host's kernel for the guest's.
public final class EntropyDevice: VirtioDevice, @unchecked Sendable {
    // @unchecked: the work comes and goes under the transport's lock; what counts is safe to read anywhere.
    private let loop: DeviceLoop
    private let source: EntropySource
    private var work: EntropyWork?

    /// - Parameter limits: bytes and requests let through. They hold on when the driver resets the device.
    public init(loop: DeviceLoop, limits: RateLimits = .unlimited) {
        self.loop = loop
        source = EntropySource(limits)
    }

    deinit { reset() }

    /// As ``VirtioDevice/type``.
    public var type: VirtioDeviceType { .entropy }

    /// As ``VirtioDevice/features``.
    public var features: UInt64 { 0 }

    /// Requests.
    public var queueSizes: [UInt16] { [64] }

    /// There is none, §5.4.4.
    public var configuration: [UInt8] { [] }

    /// As ``VirtioDevice/writeConfiguration(offset:bytes:)``.
    public func writeConfiguration(offset: Int, bytes: [UInt8]) {}

    /// As ``VirtioDevice/activate(_:)``.
    public func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        reset()
        guard let queue = activation.queues.first ?? nil else { throw .queueMissing(0) }
        let work = EntropyWork(memory: activation.memory, queue: queue, source: source)
        do {
            try loop.add(work, onFailure: activation.failed)
        } catch {
            throw .activation(operation: "entropy device on its loop", errno: error.rawValue)
        }
        self.work = work
    }

    /// As ``VirtioDevice/reset()``.
    public func reset() {
        if let work = work.take() { loop.remove(work) }
    }
}

extension EntropyDevice: Metered {
    /// As ``Metered/metrics``.
    public var metrics: [Metric] {
        [
            Metric("requests", source.requests), Metric("written_bytes", source.writtenBytes),
            Metric("limited", source.limited),
        ]
    }
}
