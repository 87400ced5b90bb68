// SPDX-License-Identifier: Apache-2.0
import GuestMemory
public import Linux
public import Virtio

/// A driver of a device behind virtio-mmio, step by step as Linux' drivers/virtio/virtio_mmio.c brings one up,
/// virtio 1.2 §3.1.1 and §4.2.3.
public final class MMIODriver {
    public enum Failure: Error, Equatable {
        case noDevice
        /// FEATURES_OK did not stay.
        case features
        case queueInUse(Int)
        case noQueue(Int)
    }

    public let transport: MMIOTransport
    public let memory: MockMemory
    /// What the device interrupts by.
    public let interrupt: EventFD
    public private(set) var features: UInt64 = 0
    public private(set) var queues: [MockQueue] = []

    /// - Parameter onFailure: as the transport's.
    public init(
        device: any VirtioDevice, memory: MockMemory? = nil,
        onFailure: @escaping @Sendable (VirtioError) -> Void = { _ in }
    ) throws {
        let memory = try memory ?? MockMemory()
        let interrupt = try EventFD()
        transport = try MMIOTransport(
            device: device, memory: memory.guest, interrupt: EventFD(owning: try interrupt.descriptor.duplicate()),
            onFailure: onFailure)
        self.memory = memory
        self.interrupt = interrupt
    }

    deinit { transport.stop() }

    public func read(_ offset: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: transport.read(offset, width: 4)) }

    public func write(_ offset: UInt64, _ value: UInt32) { transport.write(offset, width: 4, UInt64(value)) }

    public var status: UInt32 {
        get { read(0x70) }
        set { write(0x70, newValue) }
    }

    /// Everything, from the reset to DRIVER_OK.
    public func start(
        features wanted: UInt64 = MockDriver.usualFeatures, queueSizes: [UInt16]
    ) throws {
        try negotiate(wanted)
        for (index, size) in queueSizes.enumerated() { try setUpQueue(index, size: size) }
        status |= 4
    }

    /// As far as FEATURES_OK.
    public func negotiate(_ wanted: UInt64 = MockDriver.usualFeatures) throws {
        guard read(0x00) == 0x7472_6976, read(0x04) == 2, read(0x08) != 0 else { throw Failure.noDevice }
        status = 0
        queues = []
        status |= 1
        status |= 2
        write(0x14, 1)
        var offered = UInt64(read(0x10)) << 32
        write(0x14, 0)
        offered |= UInt64(read(0x10))
        features = wanted & offered
        write(0x24, 1)
        write(0x20, UInt32(features >> 32))
        write(0x24, 0)
        write(0x20, UInt32(truncatingIfNeeded: features))
        status |= 8
        guard status & 8 != 0 else { throw Failure.features }
    }

    /// One queue, in fresh memory.
    @discardableResult
    public func setUpQueue(_ index: Int, size: UInt16) throws -> MockQueue {
        write(0x30, UInt32(index))
        guard read(0x44) == 0 else { throw Failure.queueInUse(index) }
        guard read(0x34) >= UInt32(size) else { throw Failure.noQueue(index) }
        let queue = try MockQueue(
            memory, size: size, features: features, kick: try kick(index),
            call: EventFD(owning: try interrupt.descriptor.duplicate()))
        write(0x38, UInt32(size))
        for (offset, address) in [
            (0x80, queue.layout.descriptors), (0x90, queue.layout.available), (0xa0, queue.layout.used),
        ] as [(UInt64, GuestAddress)] {
            write(offset, UInt32(truncatingIfNeeded: address.rawValue))
            write(offset + 4, UInt32(address.rawValue >> 32))
        }
        write(0x44, 1)
        queues.append(queue)
        return queue
    }

    /// The kick as an ioeventfd signals it: without an exit.
    private func kick(_ index: Int) throws -> EventFD {
        EventFD(owning: try transport.notifications[index].duplicate())
    }

    /// Whether the device has interrupted since this was last asked.
    public func wasInterrupted() -> Bool { interrupt.drain() }

    /// What Linux' interrupt handler does.
    ///
    /// - Returns: the reasons, acknowledged.
    public func takeInterrupt() -> UInt32 {
        let reasons = read(0x60)
        write(0x64, reasons)
        return reasons
    }

    /// The configuration space, read byte by byte until its generation stays, virtio 1.2 §2.5.3.
    public func configuration(byteCount: Int) -> [UInt8] {
        while true {
            let before = read(0xfc)
            let bytes = (0..<byteCount).map { UInt8(transport.read(0x100 + UInt64($0), width: 1)) }
            if read(0xfc) == before { return bytes }
        }
    }

    /// One request there and back on queue `index`.
    public func exchange(_ index: Int, _ bytes: [UInt8]) throws -> [UInt8] {
        try queues[index].add(readable: [bytes], writable: [bytes.count])
        try queues[index].notify()
        return try queues[index].waitUsed().bytes
    }
}
