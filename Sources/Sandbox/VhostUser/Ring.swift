// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import Virtio

/// What the front-end has told of one ring, and the queue made of it while the device runs.
final class Ring {
    let index: Int
    let sizeLimit: UInt16
    private(set) var size: UInt16
    private var address: RingAddressMessage?
    /// The next entry of the available ring; kept up to date when the device stops.
    private(set) var base: UInt16 = 0
    private var kick: FileDescriptor?
    private var call: FileDescriptor?
    var isEnabled = false
    private(set) var queue: Virtqueue?

    init(index: Int, sizeLimit: UInt16) {
        self.index = index
        self.sizeLimit = sizeLimit
        size = sizeLimit
    }

    /// Whether the front-end has started it: from the kick descriptor on, until GET_VRING_BASE.
    var isStarted: Bool { kick != nil && address != nil }

    func setSize(_ number: UInt32) throws(VhostUserError) {
        try requireStopped()
        guard number > 0, number <= UInt32(sizeLimit), number & (number - 1) == 0 else {
            throw .ringSize(index: index, number)
        }
        size = UInt16(number)
    }

    func setAddress(_ message: RingAddressMessage) throws(VhostUserError) {
        // A front-end that says again what it said before changes nothing.
        if message == address { return }
        try requireStopped()
        address = message
    }

    func setBase(_ number: UInt32) throws(VhostUserError) {
        try requireStopped()
        guard let number = UInt16(exactly: number) else { throw .ringBase(index: index, number) }
        base = number
    }

    func setKick(_ descriptor: consuming FileDescriptor) throws(VhostUserError) {
        try requireStopped()
        try unblock(descriptor)
        kick = consume descriptor
    }

    /// A running queue is switched over, without a stop.
    func setCall(_ descriptor: consuming FileDescriptor) throws(VhostUserError) {
        try unblock(descriptor)
        do { try queue?.replaceCall(with: descriptor) } catch { throw .ringDescriptor(index: index, error) }
        call = consume descriptor
    }

    /// The front-end no longer wants to be told of used buffers.
    func removeCall() throws(VhostUserError) {
        let unheard = try copy(nil)
        do throws(Errno) { try queue?.replaceCall(with: unheard.descriptor) } catch {
            throw .ringDescriptor(index: index, error)
        }
        call = nil
    }

    /// Makes the queue the device works on. The ring's own descriptors stay here, for a later start.
    func start(memory: GuestMemory, features: UInt64) throws(VhostUserError) -> Virtqueue {
        guard let address else { throw .ringAddress(index: index, 0) }
        let layout = Virtqueue.Layout(
            size: size, descriptors: try guest(address.descriptors, in: memory),
            available: try guest(address.available, in: memory), used: try guest(address.used, in: memory))
        let kick = try copy(self.kick)
        let call = try copy(self.call)
        do throws(VirtioError) {
            let queue = try Virtqueue(
                memory: memory, layout: layout, features: features, nextAvailable: base, kick: kick, call: call)
            self.queue = queue
            return queue
        } catch {
            throw .device(error)
        }
    }

    /// The driver may have been waiting for what was done, and the device is to look at what is there.
    func wake() {
        queue?.kick.signal()
        queue?.call.signal()
    }

    /// The device is off the queue: remember how far it came.
    func stop() {
        if let queue { base = queue.nextAvailable }
        queue = nil
    }

    /// GET_VRING_BASE ends a ring; it starts again with its next kick descriptor.
    func end() -> UInt16 {
        kick = nil
        return base
    }

    private func requireStopped() throws(VhostUserError) {
        if queue != nil { throw .ringRunning(index: index) }
    }

    private func guest(_ address: UInt64, in memory: GuestMemory) throws(VhostUserError) -> GuestAddress {
        guard let address = memory.guestAddress(ofFrontEnd: address) else {
            throw .ringAddress(index: index, address)
        }
        return address
    }

    /// A descriptor of the front-end's must never block the device, whatever it is open on.
    private func unblock(_ descriptor: borrowing FileDescriptor) throws(VhostUserError) {
        do { try descriptor.setNonBlocking(true) } catch { throw .ringDescriptor(index: index, error) }
    }

    private func copy(_ descriptor: borrowing FileDescriptor?) throws(VhostUserError) -> EventFD {
        do throws(Errno) {
            switch descriptor {
            case .some(let descriptor): return EventFD(owning: try descriptor.duplicate())
            case .none: return try EventFD()
            }
        } catch {
            throw .ringDescriptor(index: index, error)
        }
    }
}
