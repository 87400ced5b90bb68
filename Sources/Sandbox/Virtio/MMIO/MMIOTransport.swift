// SPDX-License-Identifier: Apache-2.0
public import GuestMemory
public import Linux
internal import Synchronization

/// A device as a guest's driver reaches it: one page of registers, virtio 1.2 §4.2, modern drivers only.
///
/// Any thread may read and write, at any offset and width: what means nothing reads as 0 and is not written. What
/// is touched for each request (QueueNotify, InterruptStatus, InterruptACK) takes no lock and allocates nothing; all
/// else is behind one lock, as two processors may race. A queue's place is taken once, when the driver says that it
/// is ready; writing its registers afterwards changes nothing.
///
/// **Interrupts.** All queues signal one eventfd, which KVM turns into the device's interrupt (irqfd), so the server of
/// a queue notifies by itself, in this process or another, unknown to the transport. InterruptStatus
/// therefore always says "used buffers" while the device is active: the interrupt is edge-triggered, and a driver
/// that was called for nothing finds its queues empty. Acknowledging that bit has no effect, so a monitor may have
/// the kernel absorb it. The other reason, a changed configuration, is kept until it is acknowledged.
public final class MMIOTransport: @unchecked Sendable {
    // @unchecked: the device is used under the control lock, except for what its protocol lets any thread do.

    /// Where QueueNotify is: 4 bytes, the value is the queue's index.
    public static let notifyOffset: UInt64 = MMIORegister.queueNotify
    /// Where InterruptACK is: 4 bytes. A write of ``usedBufferAcknowledgement`` has no effect.
    public static let acknowledgeOffset: UInt64 = MMIORegister.interruptAcknowledge
    /// The bit of InterruptACK that means nothing here, §4.2.2.
    public static let usedBufferAcknowledgement: UInt32 = InterruptReason.usedBuffer
    /// The bytes a device takes in the guest's address space.
    public static let byteCount: UInt64 = 4096

    private let device: any VirtioDevice
    private let memory: GuestMemory
    private let queueSizes: [UInt16]
    private let offered: UInt64
    private let interrupt: EventFD
    private let kicks: [Kick]
    private let onFailure: @Sendable (VirtioError) -> Void

    private let control: Mutex<MMIOControl>
    /// The status in the low byte, and above it how often the device has been reset: what an earlier life of the
    /// device still reports is recognised by it. Written under the control lock, except DEVICE_NEEDS_RESET.
    private let state = Atomic<UInt64>(0)
    private let pendingReasons = Atomic<UInt32>(0)
    private let configuration: Mutex<Configuration>

    /// The configuration space as the driver sees it: it never reads half of a change, virtio 1.2 §2.5.3.
    private struct Configuration {
        var bytes: [UInt8]
        var generation: UInt32 = 0
    }

    /// The driver's side of a queue's kick.
    private final class Kick: Sendable {
        let event: EventFD
        init() throws(Errno) { event = try EventFD() }
    }

    private let registerReads = Counter()
    private let registerWrites = Counter()
    private let refusedWrites = Counter()
    private let notifyExits = Counter()
    private let configurationChanges = Counter()
    private let activations = Counter()
    private let failures = Counter()

    /// - Parameters:
    ///   - interrupt: what KVM injects the device's interrupt for.
    ///   - onFailure: called on any thread with what broke the device, at most once between resets. The driver sees
    ///     DEVICE_NEEDS_RESET; Linux' drivers do not listen.
    public init(
        device: any VirtioDevice, memory: GuestMemory, interrupt: consuming EventFD,
        onFailure: @escaping @Sendable (VirtioError) -> Void = { _ in }
    ) throws(Errno) {
        let sizes = device.queueSizes
        var kicks: [Kick] = []
        for _ in sizes { kicks.append(try Kick()) }
        self.device = device
        self.memory = memory
        self.interrupt = interrupt
        self.kicks = kicks
        self.onFailure = onFailure
        queueSizes = sizes
        offered =
            device.features | VirtioFeature.version1 | VirtioFeature.indirectDescriptors | VirtioFeature.eventIndex
        control = Mutex(MMIOControl(queueCount: sizes.count))
        configuration = Mutex(Configuration(bytes: device.configuration))
    }

    /// The queues' kicks by index, eventfds for as long as this lives: a monitor has the kernel signal each when the
    /// guest writes the index at ``notifyOffset`` (ioeventfd).
    public var notifications: [BorrowedDescriptor] { kicks.map { $0.event.descriptor.borrowed } }

    /// The machine has ended: the device is reset, and stays so.
    public func stop() {
        control.withLock { control in
            reset(&control)
            control.isStopped = true
        }
    }

    // MARK: Registers

    /// What the guest reads: `width` bytes at `offset` from the beginning of the registers.
    public func read(_ offset: UInt64, width: Int) -> UInt64 {
        registerReads.add()
        if offset >= MMIORegister.configuration { return readConfiguration(offset - MMIORegister.configuration, width) }
        guard width == 4 else { return 0 }
        switch offset {
        case MMIORegister.interruptStatus: return UInt64(interruptStatus)
        case MMIORegister.status: return UInt64(status.rawValue)
        // "virt".
        case MMIORegister.magic: return 0x7472_6976
        case MMIORegister.version: return 2
        case MMIORegister.deviceType: return UInt64(device.type.rawValue)
        // "FCRC".
        case MMIORegister.vendor: return 0x4352_4346
        case MMIORegister.deviceFeatures:
            switch control.withLock({ $0.deviceFeaturesSelect }) {
            case 0: return offered & 0xffff_ffff
            case 1: return offered >> 32
            default: return 0
            }
        case MMIORegister.queueSizeLimit:
            return control.withLock { control in control.selectedQueue.map { UInt64(queueSizes[$0]) } ?? 0 }
        case MMIORegister.queueReady:
            return control.withLock { control in
                control.selectedQueue.map { control.queues[$0].isReady ? 1 : 0 } ?? 0
            }
        case MMIORegister.sharedMemoryLengthLow, MMIORegister.sharedMemoryLengthHigh,
            MMIORegister.sharedMemoryBaseLow, MMIORegister.sharedMemoryBaseHigh:
            // No region of shared memory, whichever is selected.
            return 0xffff_ffff
        case MMIORegister.configurationGeneration: return UInt64(configuration.withLock { $0.generation })
        default: return 0
        }
    }

    /// What the guest writes: the low `width` bytes of `value`.
    public func write(_ offset: UInt64, width: Int, _ value: UInt64) {
        registerWrites.add()
        if offset >= MMIORegister.configuration {
            return writeConfiguration(offset - MMIORegister.configuration, width, value)
        }
        guard width == 4 else { return refusedWrites.add() }
        let value = UInt32(truncatingIfNeeded: value)
        switch offset {
        case MMIORegister.queueNotify: notify(value)
        case MMIORegister.interruptAcknowledge: pendingReasons.bitwiseAnd(~value, ordering: .relaxed)
        default:
            let isTaken = control.withLock { control in !control.isStopped && write(offset, value, &control) }
            if !isTaken { refusedWrites.add() }
        }
    }

    /// A kick that no ioeventfd took.
    private func notify(_ queue: UInt32) {
        guard queue < UInt32(kicks.count) else { return refusedWrites.add() }
        notifyExits.add()
        kicks[Int(queue)].event.signal()
    }

    private var interruptStatus: UInt32 {
        pendingReasons.load(ordering: .acquiring) | (status.contains(.driverOK) ? InterruptReason.usedBuffer : 0)
    }

    /// - Returns: whether the driver may write that, and now.
    private func write(_ offset: UInt64, _ value: UInt32, _ control: inout MMIOControl) -> Bool {
        switch offset {
        case MMIORegister.deviceFeaturesSelect: control.deviceFeaturesSelect = value
        case MMIORegister.driverFeaturesSelect: control.driverFeaturesSelect = value
        case MMIORegister.queueSelect: control.queueSelect = value
        case MMIORegister.driverFeatures:
            guard status.contains(.driver), status.isDisjoint(with: [.featuresOK, .failed]) else { return false }
            control.writeFeatures(value)
        case MMIORegister.status:
            guard value <= 0xff else { return false }
            return write(DeviceStatus(rawValue: UInt8(value)), &control)
        default:
            guard status.contains(.featuresOK), status.isDisjoint(with: [.driverOK, .needsReset, .failed]) else {
                return false
            }
            return control.writeQueue(offset, value)
        }
        return true
    }

    // MARK: Status

    private var status: DeviceStatus {
        DeviceStatus(rawValue: UInt8(truncatingIfNeeded: state.load(ordering: .acquiring)))
    }

    private var life: UInt64 { state.load(ordering: .relaxed) >> 8 }

    /// Adds to the status, beside which the device may break.
    private func setStatus(_ bits: DeviceStatus) { state.bitwiseOr(UInt64(bits.rawValue), ordering: .releasing) }

    /// The driver's next step, virtio 1.2 §3.1.1. A step that does not follow from those before changes nothing.
    private func write(_ new: DeviceStatus, _ control: inout MMIOControl) -> Bool {
        if new.isEmpty {
            reset(&control)
            return true
        }
        let old = status
        // Drivers add a bit to what they read, which has the device's own in it.
        let wanted = new.intersection(.ofDriver)
        guard new.isSubset(of: DeviceStatus.ofDriver.union(.needsReset)),
            wanted.isSuperset(of: old.intersection(.ofDriver))
        else { return false }
        if wanted.contains(.failed) {
            // The driver has given up, virtio 1.2 §3.1.1; it may reset.
            setStatus(.failed)
            return true
        }
        if wanted == old.intersection(.ofDriver) { return true }
        guard !old.contains(.needsReset), wanted.contains(.acknowledge),
            wanted.contains(.driver) || wanted.isDisjoint(with: [.featuresOK, .driverOK]),
            !wanted.contains(.driverOK) || old.contains(.featuresOK)
        else { return false }
        setStatus(wanted.intersection([.acknowledge, .driver]))
        refreshConfiguration(isChange: false)
        if wanted.contains(.featuresOK), !old.contains(.featuresOK) {
            // Not set where the driver asks for what is not there, or is of old: it reads the status again.
            guard control.driverFeatures & ~offered == 0, control.driverFeatures & VirtioFeature.version1 != 0 else {
                return false
            }
            setStatus(.featuresOK)
        }
        if wanted.contains(.driverOK), !old.contains(.driverOK) { activate(control) }
        return true
    }

    private func activate(_ control: MMIOControl) {
        let life = life
        activations.add()
        // What the device says from here on counts.
        setStatus(.driverOK)
        do throws(VirtioError) {
            var queues: [Virtqueue?] = []
            for (index, registers) in control.queues.enumerated() {
                queues.append(registers.isReady ? try queue(index, registers, control.driverFeatures) : nil)
            }
            try device.activate(
                VirtioActivation(
                    memory: memory, features: control.driverFeatures, queues: queues,
                    configurationChanged: { [weak self] in self?.configurationChanged(life: life) },
                    failed: { [weak self] error in self?.fail(error, life: life) }))
        } catch {
            device.reset()
            fail(error, life: life)
        }
    }

    private func queue(
        _ index: Int, _ registers: QueueRegisters, _ features: UInt64
    ) throws(VirtioError) -> Virtqueue {
        guard registers.size <= UInt32(queueSizes[index]) else { throw .queueSize(registers.size) }
        let kick = try duplicate(kicks[index].event)
        let call = try duplicate(interrupt)
        let layout = Virtqueue.Layout(
            size: UInt16(registers.size), descriptors: GuestAddress(rawValue: registers.descriptors),
            available: GuestAddress(rawValue: registers.available), used: GuestAddress(rawValue: registers.used))
        return try Virtqueue(memory: memory, layout: layout, features: features, kick: kick, call: call)
    }

    private func duplicate(_ event: borrowing EventFD) throws(VirtioError) -> EventFD {
        do {
            return EventFD(owning: try event.descriptor.duplicate())
        } catch {
            throw .activation(operation: "duplicate eventfd", errno: error.rawValue)
        }
    }

    private func reset(_ control: inout MMIOControl) {
        if control.isStopped { return }
        device.reset()
        // Whatever its last life still says is not heard.
        state.store((life &+ 1) << 8, ordering: .releasing)
        pendingReasons.store(0, ordering: .relaxed)
        control.reset()
        refreshConfiguration(isChange: false)
    }

    /// The device does nothing more until it is reset, virtio 1.2 §2.1.2. Takes no lock: it may come from within
    /// the device's activation, or while its reset waits for it.
    private func fail(_ error: VirtioError, life: UInt64) {
        var old = state.load(ordering: .acquiring)
        while true {
            let isBroken = old & UInt64(DeviceStatus.needsReset.rawValue) != 0
            guard old >> 8 == life, !isBroken else { return }
            let (done, current) = state.compareExchange(
                expected: old, desired: old | UInt64(DeviceStatus.needsReset.rawValue),
                ordering: .acquiringAndReleasing)
            if done { break }
            old = current
        }
        failures.add()
        interruptForConfiguration()
        onFailure(error)
    }

    private func interruptForConfiguration() {
        pendingReasons.bitwiseOr(InterruptReason.configuration, ordering: .releasing)
        interrupt.signal()
    }

    // MARK: Configuration space

    private func configurationChanged(life: UInt64) {
        guard state.load(ordering: .acquiring) >> 8 == life else { return }
        configurationChanges.add()
        refreshConfiguration(isChange: true)
        interruptForConfiguration()
    }

    private func refreshConfiguration(isChange: Bool) {
        configuration.withLock { configuration in
            configuration.bytes = device.configuration
            if isChange { configuration.generation &+= 1 }
        }
    }

    /// Bytes past the end of the space read as 0.
    private func readConfiguration(_ offset: UInt64, _ width: Int) -> UInt64 {
        guard (1...8).contains(width), offset < Self.byteCount else { return 0 }
        return configuration.withLock { configuration in
            var value: UInt64 = 0
            for index in 0..<width where Int(offset) + index < configuration.bytes.count {
                value |= UInt64(configuration.bytes[Int(offset) + index]) << UInt64(8 * index)
            }
            return value
        }
    }

    /// A write that is not wholly inside the space does nothing.
    private func writeConfiguration(_ offset: UInt64, _ width: Int, _ value: UInt64) {
        let isTaken = control.withLock { control in
            guard !control.isStopped, (1...8).contains(width), offset < Self.byteCount, status.contains(.driver),
                status.isDisjoint(with: [.needsReset, .failed]),
                Int(offset) + width <= configuration.withLock({ $0.bytes.count })
            else { return false }
            device.writeConfiguration(
                offset: Int(offset), bytes: (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) })
            refreshConfiguration(isChange: false)
            return true
        }
        if !isTaken { refusedWrites.add() }
    }
}

extension MMIOTransport: Metered {
    /// Accesses that reached the monitor; those the kernel absorbs are not seen.
    public var metrics: [Metric] {
        [
            Metric("register_reads", registerReads), Metric("register_writes", registerWrites),
            Metric("refused_writes", refusedWrites), Metric("notify_exits", notifyExits),
            Metric("configuration_changes", configurationChanges), Metric("activations", activations),
            Metric("failures", failures),
        ]
    }
}
