// SPDX-License-Identifier: Apache-2.0
import GuestMemory
public import Linux
public import VhostUser
public import Virtio

/// A driver without a guest: memory, queues and agreed features, on a device in this process or on one behind
/// a vhost-user socket, whoever wrote it.
public final class MockDriver {
    public let memory: MockMemory
    public let features: UInt64
    public let queues: [MockQueue]
    /// The socket's end, where there is one.
    public let frontend: Frontend?

    /// What a driver of today takes, where the device offers it.
    public static let usualFeatures =
        VirtioFeature.version1 | VirtioFeature.indirectDescriptors | VirtioFeature.eventIndex

    /// Brings up the device behind `connection`, all of its queues enabled.
    ///
    /// - Parameter features: those wanted, the device's own among them; what is not offered is left out.
    public init(
        connection: consuming FileDescriptor, queueSizes: [UInt16], features wanted: UInt64 = MockDriver.usualFeatures,
        memoryByteCount: UInt64 = 16 << 20
    ) throws {
        let frontend = try Frontend(connection: connection)
        let agreed = try frontend.negotiate(wanted)
        let memory = try MockMemory(byteCount: memoryByteCount)
        try frontend.setMemory([memory.piece])
        let queues = try queueSizes.map { try MockQueue(memory, size: $0, features: agreed) }
        for (index, queue) in queues.enumerated() {
            try frontend.startRing(index, queue.layout, kick: queue.kick, call: queue.call)
        }
        for index in queues.indices { try frontend.enableRing(index) }
        (self.frontend, features, self.memory, self.queues) = (frontend, agreed, memory, queues)
    }

    /// Activates `device`, in this process.
    public init(
        device: any VirtioDevice, features wanted: UInt64 = MockDriver.usualFeatures,
        memoryByteCount: UInt64 = 16 << 20
    ) throws {
        let memory = try MockMemory(byteCount: memoryByteCount)
        let agreed = wanted & (device.features | MockDriver.usualFeatures)
        let queues = try device.queueSizes.map { try MockQueue(memory, size: $0, features: agreed) }
        try device.activate(
            VirtioActivation(
                memory: memory.guest, features: agreed, queues: queues.map { try $0.deviceQueue() }))
        (frontend, features, self.memory, self.queues) = (nil, agreed, memory, queues)
    }

    /// Ends the session: the back-end sees its front-end gone.
    public func hangUp() {
        frontend?.hangUp()
    }
}
