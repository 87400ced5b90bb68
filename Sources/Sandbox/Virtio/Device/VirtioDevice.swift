// SPDX-License-Identifier: Apache-2.0
public import GuestMemory

/// Device types, virtio 1.2 §5.
public enum VirtioDeviceType: UInt32, Sendable {
    case network = 1
    case block = 2
    case console = 3
    case entropy = 4
    case balloon = 5
    case vsock = 19
    case fileSystem = 26
}

/// Feature bits every device shares, virtio 1.2 §6.
public enum VirtioFeature {
    /// VIRTIO_F_INDIRECT_DESC: a chain may stand in a table of its own, §2.7.5.3.
    public static let indirectDescriptors: UInt64 = 1 << 28
    /// VIRTIO_F_EVENT_IDX: both sides say when they want to be notified, §2.7.7.
    public static let eventIndex: UInt64 = 1 << 29
    /// VIRTIO_F_VERSION_1: no legacy interface; always agreed on here.
    public static let version1: UInt64 = 1 << 32
}

/// A device, independent of how its driver reaches it: the transport (virtio-mmio in the monitor, or vhost-user
/// under another one) owns status, feature negotiation and queue registers; the device owns what the queues mean.
public protocol VirtioDevice: AnyObject {
    var type: VirtioDeviceType { get }

    /// The features offered. The transport adds ``VirtioFeature/version1`` and the ring's own.
    var features: UInt64 { get }

    /// The largest size of each virtqueue, in descriptors; their number is the number of queues.
    var queueSizes: [UInt16] { get }

    /// The device's configuration space, virtio 1.2 §2.5: little-endian bytes, read by the driver. Its size never
    /// changes. Any thread may ask.
    var configuration: [UInt8] { get }

    /// The driver writes `bytes`, 1 to 8 of them, into the configuration space from `offset` on; they lie inside it.
    /// A device whose space is read-only, or read-only there, does nothing. Called by the thread of a virtual
    /// processor, never while the device is being activated or reset.
    func writeConfiguration(offset: Int, bytes: [UInt8])

    /// The driver is ready: the device gets the guest's memory and its queues and works until ``reset()``.
    func activate(_ activation: consuming VirtioActivation) throws(VirtioError)

    /// The driver, or the front-end, went away: stop, and let go of memory and queues. Safe to call twice.
    ///
    /// When it returns, no thread of the device touches them any more, and every chain that was taken has been
    /// completed, or given back with ``Virtqueue/rewind(_:)``: the device may be activated again at once, on
    /// the same rings, with the driver none the wiser.
    func reset()
}

/// What a device is handed when its driver is ready.
public struct VirtioActivation: ~Copyable {
    /// The guest's; to be held for as long as any slice of it is.
    public let memory: GuestMemory
    /// The features both sides agreed on.
    public let features: UInt64
    /// By queue index; a queue the driver did not set up is nil.
    public var queues: [Virtqueue?]
    /// Tells the driver that the configuration space changed, virtio 1.2 §2.5. Any thread may call it, with no lock
    /// held that ``VirtioDevice/configuration`` takes: it is read again meanwhile.
    public let configurationChanged: @Sendable () -> Void
    /// Tells the owner of the device that the driver, or the host, broke it: it does nothing more until
    /// ``VirtioDevice/reset()``. Any thread may call it.
    public let failed: @Sendable (VirtioError) -> Void

    /// What no transport is there for, a test leaves out.
    public init(
        memory: GuestMemory, features: UInt64, queues: [Virtqueue?],
        configurationChanged: @escaping @Sendable () -> Void = {},
        failed: @escaping @Sendable (VirtioError) -> Void = { _ in }
    ) {
        self.memory = memory
        self.features = features
        self.queues = queues
        self.configurationChanged = configurationChanged
        self.failed = failed
    }
}

/// What goes wrong between a driver and a device. Any of these breaks the device, not the program.
public enum VirtioError: Error, Equatable {
    /// A queue size that is no power of two or out of range, virtio 1.2 §2.7.
    case queueSize(UInt32)
    /// A ring outside the guest's memory.
    case ring(GuestMemoryError)
    /// A part of a queue that is not aligned as virtio 1.2 §2.7 asks.
    case ringAlignment(GuestAddress)
    /// The driver claims more new chains than the queue can hold.
    case availableIndex(distance: UInt16, size: UInt16)
    /// A descriptor's index is not below the table's size.
    case descriptorIndex(UInt16, size: UInt32)
    /// A chain that loops, or has more descriptors or bytes than a chain may have.
    case chainTooLong(head: UInt16)
    /// An indirect table that is nested, empty, cut off or mixed with NEXT, virtio 1.2 §2.7.5.3.
    case indirectTable(head: UInt16)
    /// A readable descriptor after a writable one, virtio 1.2 §2.7.4.2.
    case descriptorOrder(head: UInt16)
    /// A buffer outside the guest's memory.
    case buffer(head: UInt16, GuestMemoryError)
    /// A chain without what the device needs in it.
    case chainTooShort(head: UInt16)
    /// A buffer for the device to read where it only writes.
    case readableBuffer(head: UInt16)
    /// The driver left out a queue the device cannot do without.
    case queueMissing(Int)
    /// The host could not give the device what it runs on.
    case activation(operation: String, errno: Int32)
    /// The process that serves the device has ended, does not answer, or does not keep to the protocol.
    case backEnd(String)
}
