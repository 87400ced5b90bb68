// SPDX-License-Identifier: Apache-2.0
import GuestMemory
public import Linux
public import Virtio

/// A device behind a vhost-user socket, the back-end of QEMU docs/interop/vhost-user.rst.
///
/// The front-end is not trusted: every message is held against its size and its descriptors before it is
/// obeyed. What cannot be obeyed is answered with an error where the front-end asked for an answer, and ends
/// the connection where it did not.
///
/// The device is activated when there is memory, at least one ring has been started (its kick descriptor
/// given), and every ring that was started is enabled. It is handed just these rings: a front-end may keep
/// some for itself, as QEMU does with the event queue of vsock. A device that answers that a queue is missing
/// waits for it. When a ring is disabled, ended (GET_VRING_BASE) or added, or the memory table changes, the
/// device is reset, and activated again when the condition holds again, each ring where it stood.
public final class Backend {
    private let device: any VirtioDevice
    private let connection: Connection
    private let rings: [Ring]
    private var memory: GuestMemory?
    private let offersConfiguration: Bool
    private let onFailure: @Sendable (VirtioError) -> Void
    private var features: UInt64 = 0
    private var protocolFeatures: ProtocolFeatures = []
    /// The rings that the device has been given; empty while it is not active.
    private var running: [Int] = []

    /// What is offered beyond the device's own features.
    static let ringFeatures =
        VirtioFeature.version1 | VirtioFeature.indirectDescriptors | VirtioFeature.eventIndex
        | VhostUserFeature.protocolFeatures
    private var offeredProtocolFeatures: ProtocolFeatures {
        let always: ProtocolFeatures = [.multipleQueues, .replyAcknowledge, .resetDevice, .memorySlots]
        return offersConfiguration ? always.union(.configuration) : always
    }

    /// What QEMU's MMIO transport offers a guest for every queue, whatever the device's own size is.
    static let ringSizeOfMMIO: UInt16 = 1024

    /// - Parameters:
    ///   - connection: a connected unix stream socket, from now on the back-end's. It is made to block.
    ///   - offersConfiguration: whether the front-end may ask for the configuration space. That of a file
    ///     system or a network is made by the front-end, and QEMU warns of one that is offered to it.
    ///   - onFailure: called on any thread with what broke the device while it was active.
    public init(
        device: any VirtioDevice, connection: consuming FileDescriptor, offersConfiguration: Bool = true,
        onFailure: @escaping @Sendable (VirtioError) -> Void = { _ in }
    ) throws(VhostUserError) {
        self.onFailure = onFailure
        self.offersConfiguration = offersConfiguration && !device.configuration.isEmpty
        do { try connection.setNonBlocking(false) } catch { throw .receive(error) }
        self.device = device
        self.connection = Connection(socket: connection)
        rings = device.queueSizes.enumerated().map {
            Ring(index: $0.offset, sizeLimit: max($0.element, Self.ringSizeOfMMIO))
        }
    }

    /// Obeys the front-end until it hangs up, then resets the device.
    ///
    /// - Throws: what broke the connection. The device is reset then as well.
    public func serve() throws(VhostUserError) {
        defer { stop() }
        while let message = try connection.receive() { try answer(message) }
    }

    private func answer(_ message: consuming Message) throws(VhostUserError) {
        let number = message.request
        let flags = message.flags
        guard flags & Wire.reply == 0 else { throw .flags(request: number, flags) }
        let asksForReply = flags & Wire.needReply != 0 && protocolFeatures.contains(.replyAcknowledge)
        var status: UInt64 = 0
        do {
            if let reply = try handle(message) {
                return try connection.send(request: number, flags: Wire.reply, reply)
            }
        } catch {
            // Only an answer of the acknowledging kind can carry an error.
            guard asksForReply, VhostUserRequest(rawValue: number)?.hasReply != true else { throw error }
            status = 1
        }
        if asksForReply { try connection.send(request: number, flags: Wire.reply, Payload(status)) }
    }

    /// Obeys one message.
    ///
    /// - Returns: the payload of the reply, for a request that has one of its own.
    private func handle(_ message: consuming Message) throws(VhostUserError) -> Payload? {
        guard let request = VhostUserRequest(rawValue: message.request) else {
            throw .unknownRequest(message.request)
        }
        try request.check(payload: message.payload, descriptorCount: message.descriptors.count)
        let payload = message.payload
        switch request {
        case .getFeatures: return Payload(device.features | Backend.ringFeatures)
        case .setFeatures: try setFeatures(payload.load(at: 0))
        case .getProtocolFeatures: return Payload(offeredProtocolFeatures.rawValue)
        case .setProtocolFeatures: try setProtocolFeatures(payload.load(at: 0))
        case .setOwner: break
        case .resetOwner: try disableAll()
        case .resetDevice: try resetDevice()
        case .getQueueCount: return Payload(UInt64(rings.count))
        case .getMemorySlots: return Payload(UInt64(Wire.memorySlots))
        case .setMemoryTable: try setMemoryTable(payload, message.descriptors)
        case .addMemoryRegion: try addMemoryRegion(payload.region(at: 8), message.descriptors)
        case .removeMemoryRegion: try removeMemoryRegion(payload.region(at: 8))
        case .setRingSize: try ring(payload.load(at: 0)).setSize(payload.load(at: 4))
        case .setRingBase: try ring(payload.load(at: 0)).setBase(payload.load(at: 4))
        case .setRingAddress:
            let address = payload.ringAddress
            guard address.flags & RingAddressMessage.log == 0 else { throw .notSupported(request: request.rawValue) }
            try ring(address.index).setAddress(address)
        case .getRingBase: return try endRing(payload.load(at: 0))
        case .setRingKick:
            let ring = try ring(UInt32(payload.load(UInt64.self, at: 0) & 0xff))
            // Without a descriptor the front-end wants polling.
            guard let kick = message.descriptors.takeFirst() else { throw .notSupported(request: request.rawValue) }
            stop()
            try ring.setKick(kick)
            try settle()
        case .setRingCall:
            let ring = try ring(UInt32(payload.load(UInt64.self, at: 0) & 0xff))
            if let call = message.descriptors.takeFirst() { try ring.setCall(call) } else { try ring.removeCall() }
        case .setRingError:
            // Nothing is reported that way: a broken ring stops being served. The descriptor is closed.
            _ = try ring(UInt32(payload.load(UInt64.self, at: 0) & 0xff))
        case .setRingEnable:
            try ring(payload.load(at: 0)).isEnabled = payload.load(UInt32.self, at: 4) != 0
            try settle()
        case .getConfiguration: return configuration(payload)
        case .setConfiguration, .setLogBase, .setLogFile:
            throw .notSupported(request: request.rawValue)
        }
        return nil
    }

    private func ring(_ index: UInt32) throws(VhostUserError) -> Ring {
        guard index < UInt32(rings.count) else { throw .ringIndex(index, count: rings.count) }
        return rings[Int(index)]
    }

    private func setFeatures(_ wanted: UInt64) throws(VhostUserError) {
        let excess = wanted & ~(device.features | Backend.ringFeatures)
        guard excess == 0 else { throw .features(excess) }
        if let first = running.first, wanted != features { throw .ringRunning(index: first) }
        features = wanted
        try settle()
    }

    private func setProtocolFeatures(_ wanted: UInt64) throws(VhostUserError) {
        let excess = wanted & ~offeredProtocolFeatures.rawValue
        guard excess == 0 else { throw .protocolFeatures(excess) }
        protocolFeatures = ProtocolFeatures(rawValue: wanted)
    }

    private func disableAll() throws(VhostUserError) {
        for ring in rings { ring.isEnabled = false }
        try settle()
    }

    private func resetDevice() throws(VhostUserError) {
        stop()
        for ring in rings {
            ring.isEnabled = false
            _ = ring.end()
        }
        features = 0
    }

    private func endRing(_ index: UInt32) throws(VhostUserError) -> Payload {
        let ring = try ring(index)
        stop()
        let base = ring.end()
        try settle()
        return Payload(ring: index, UInt32(base))
    }

    /// The part of the device's configuration that was asked for; none at all says that it is not there.
    private func configuration(_ payload: Payload) -> Payload {
        let offset = payload.load(UInt32.self, at: 0)
        let byteCount = payload.load(UInt32.self, at: 4)
        let all = device.configuration
        guard UInt64(offset) + UInt64(byteCount) <= UInt64(all.count) else { return Payload() }
        var reply = Payload(Array(payload.bytes[..<12]))
        reply.bytes += all[Int(offset)..<Int(offset + byteCount)]
        return reply
    }
}

// The guest's memory, and when the device runs.
extension Backend {
    private func setMemoryTable(_ payload: Payload, _ files: borrowing DescriptorList) throws(VhostUserError) {
        var pieces: [GuestMemory.Piece] = []
        for index in 0..<files.count {
            pieces.append(payload.region(at: 8 + RegionMessage.size * index).piece(in: files.borrowed[index]))
        }
        let next: GuestMemory
        do { next = try GuestMemory(pieces) } catch { throw .memory(error) }
        try change(memory: next)
    }

    private func addMemoryRegion(_ region: RegionMessage, _ files: borrowing DescriptorList) throws(VhostUserError) {
        guard memory?.regionCount ?? 0 < Wire.memorySlots else {
            throw .memoryRegion(start: region.start, byteCount: region.byteCount)
        }
        let piece = region.piece(in: files.borrowed[0])
        let next: GuestMemory
        do throws(GuestMemoryError) {
            if let memory { next = try memory.adding(piece) } else { next = try GuestMemory([piece]) }
        } catch { throw .memory(error) }
        try change(memory: next)
    }

    private func removeMemoryRegion(_ region: RegionMessage) throws(VhostUserError) {
        guard
            let rest = memory?.removing(
                start: region.start, byteCount: region.byteCount, frontEndStart: region.frontEndStart)
        else { throw .memoryRegion(start: region.start, byteCount: region.byteCount) }
        try change(memory: rest)
    }

    private func change(memory next: GuestMemory) throws(VhostUserError) {
        stop()
        memory = next
        try settle()
    }

    /// Starts or stops the device, as the rings now ask for.
    private func settle() throws(VhostUserError) {
        let started = rings.filter(\.isStarted)
        // Without protocol features there is no message to enable a ring: they begin enabled.
        let startEnabled = features & VhostUserFeature.protocolFeatures == 0
        let mayRun = started.allSatisfy { $0.isEnabled || startEnabled }
        let wanted = mayRun && memory != nil ? started.map(\.index) : []
        if wanted == running { return }
        stop()
        if !wanted.isEmpty { try start(wanted) }
    }

    private func start(_ wanted: [Int]) throws(VhostUserError) {
        guard let memory else { return }
        guard features & VirtioFeature.version1 != 0 else { throw .features(VirtioFeature.version1) }
        do throws(VhostUserError) {
            var queues: [Virtqueue?] = rings.map { _ in nil }
            for index in wanted { queues[index] = try rings[index].start(memory: memory, features: features) }
            let agreed = features & ~VhostUserFeature.protocolFeatures
            do throws(VirtioError) {
                try device.activate(
                    VirtioActivation(memory: memory, features: agreed, queues: queues, failed: onFailure))
            } catch {
                throw .device(error)
            }
        } catch {
            device.reset()
            for ring in rings { ring.stop() }
            // More rings may yet come.
            if case .device(.queueMissing) = error { return }
            throw error
        }
        running = wanted
        for index in wanted { rings[index].wake() }
    }

    private func stop() {
        if running.isEmpty { return }
        device.reset()
        for ring in rings { ring.stop() }
        running = []
    }
}
