// SPDX-License-Identifier: Apache-2.0
public import GuestMemory
public import Linux
public import Virtio

/// A device of this machine that another process serves: what the guest's driver sets up here is handed to a
/// vhost-user back-end, which then takes the driver's kicks and notifies it by itself.
///
/// The back-end is not trusted to answer: what it does not answer in time, or answers wrongly, ends the session, and
/// the device is broken from then on. Its end while the device is active is reported by ``VirtioActivation/failed``.
public final class VhostUserDevice: VirtioDevice {
    /// As ``VirtioDevice/type``.
    public let type: VirtioDeviceType
    /// As ``VirtioDevice/features``.
    public let features: UInt64
    /// As ``VirtioDevice/queueSizes``.
    public let queueSizes: [UInt16]
    /// As ``VirtioDevice/configuration``.
    public let configuration: [UInt8]

    private let frontend: Frontend
    private let loop: DeviceLoop
    /// The rings that run, and who looks whether the back-end does.
    private var running: Running?
    /// Why there is nothing more to be asked of the back-end.
    private var broken: VhostUserError?

    private struct Running {
        var rings: [Int]
        var watch: Watch
    }

    /// Where the configuration space comes from.
    public enum Configuration: Sendable {
        /// Given by the caller: a back-end for a file system has none of its own.
        case given([UInt8])
        /// From the back-end, so many bytes, asked for once.
        case ofBackEnd(byteCount: UInt32)
    }

    /// The feature bits that mean something to the device alone, virtio 1.2 §2.2. Those between them are the ring's
    /// and the transport's.
    private static let deviceFeatures: UInt64 = 0x00ff_ffff | ~0x0003_ffff_ffff_ffff
    /// What the transport offers in every device's name.
    private static let ringFeatures =
        VirtioFeature.version1 | VirtioFeature.indirectDescriptors | VirtioFeature.eventIndex

    /// Greets the back-end and hands it the guest's memory.
    ///
    /// - Parameters:
    ///   - connection: a connected unix stream socket, from now on the device's.
    ///   - memory: the machine's, at most 8 pieces. Their files are borrowed for the call.
    ///   - loop: what watches the back-end.
    ///   - patience: how long the back-end may take for one answer. The processor on which the guest starts or
    ///     resets its driver waits for it.
    /// - Throws: also `.features` with those the back-end lacks of what the transport offers in its name, and
    ///   `.ringIndex` where it has fewer queues.
    public init(
        type: VirtioDeviceType, queueSizes: [UInt16], configuration: Configuration,
        connection: consuming FileDescriptor, memory: [GuestMemory.Piece], loop: DeviceLoop,
        patience: Duration = .seconds(10)
    ) throws(VhostUserError) {
        let frontend = try Frontend(connection: connection, patience: patience)
        let missing = Self.ringFeatures & ~frontend.offeredFeatures
        guard missing == 0 else { throw .features(missing) }
        if let count = try frontend.queueCount(), count < UInt64(queueSizes.count) {
            throw .ringIndex(UInt32(clamping: count), count: queueSizes.count)
        }
        switch configuration {
        case .given(let bytes): self.configuration = bytes
        case .ofBackEnd(let byteCount):
            guard frontend.protocolFeatures.contains(.configuration),
                let bytes = try frontend.configuration(byteCount: byteCount)
            else { throw .notSupported(request: VhostUserRequest.getConfiguration.rawValue) }
            self.configuration = bytes
        }
        self.type = type
        self.queueSizes = queueSizes
        self.frontend = frontend
        self.loop = loop
        features = frontend.offeredFeatures & Self.deviceFeatures
        try frontend.setMemory(
            memory.map { piece in
                // Where the guest has it, which tells each from the others: ring addresses are sent as such.
                var piece = piece
                piece.frontEndStart = piece.start.rawValue
                return piece
            })
    }

    deinit {
        if let running { loop.remove(running.watch) }
        frontend.hangUp()
    }

    /// Read-only: no message of the protocol's that the back-end would take is needed.
    public func writeConfiguration(offset: Int, bytes: [UInt8]) {}

    /// As ``VirtioDevice/activate(_:)``.
    public func activate(_ activation: consuming VirtioActivation) throws(VirtioError) {
        reset()
        if let broken { throw .backEnd("\(broken)") }
        let failed = activation.failed
        do throws(VhostUserError) {
            let rings = try start(activation.queues, features: activation.features)
            do throws(Errno) {
                let watch = Watch(try frontend.watchedDescriptor())
                try loop.add(watch) { error in failed(error) }
                running = Running(rings: rings, watch: watch)
            } catch {
                throw .receive(error)
            }
        } catch {
            hangUp(error)
            throw .backEnd("\(error)")
        }
    }

    /// The queues are served by the back-end when it is through.
    private func start(_ queues: [Virtqueue?], features: UInt64) throws(VhostUserError) -> [Int] {
        let agreed = try frontend.negotiate(features)
        guard agreed == features else { throw .features(features & ~agreed) }
        var rings: [Int] = []
        for (index, queue) in queues.enumerated() {
            guard let queue else { continue }
            // The driver begins anew: so does the ring.
            try frontend.startRing(
                index, queue.layout, base: queue.nextAvailable, kick: queue.kick, call: queue.call)
            rings.append(index)
        }
        for index in rings { try frontend.enableRing(index) }
        return rings
    }

    /// The back-end has let go of the queues when this returns, or has been hung up on.
    public func reset() {
        guard let running else { return }
        self.running = nil
        // Answers are the front-end's from here on.
        loop.remove(running.watch)
        do throws(VhostUserError) {
            for index in running.rings { try frontend.enableRing(index, false) }
            for index in running.rings { _ = try frontend.stopRing(index) }
        } catch {
            hangUp(error)
        }
    }

    private func hangUp(_ error: VhostUserError) {
        broken = error
        frontend.hangUp()
    }
}

/// Tells the back-end's end, and its speaking out of turn, which is the same.
private final class Watch: DeviceWork {
    private let socket: FileDescriptor

    init(_ socket: consuming FileDescriptor) { self.socket = socket }

    var readiness: BorrowedDescriptor { socket.borrowed }

    func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        let bytes: [UInt8]?
        do { bytes = try Socket.receive(upTo: 1, from: socket.borrowed) } catch { throw .backEnd("\(error)") }
        // Nothing is there on the first turn.
        guard let bytes else { return nil }
        throw .backEnd(bytes.isEmpty ? "it has hung up" : "it speaks unasked")
    }
}
