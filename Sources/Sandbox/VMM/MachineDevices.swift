import Balloon
import Block
import Boot
import Entropy
import KVM
import Linux
import Metrics
import Net
import RateLimiter
import VhostUser
import Virtio
import Vsock

/// A machine's virtio devices, each behind its registers, in the order of their slots.
final class MachineDevices {
    private(set) var transports: [MMIOTransport] = []
    /// What each device, and its transport, have counted.
    private(set) var sections: [MetricsReport.Section] = []
    /// What can be told something while the machine runs, by the names they were given.
    private(set) var disks: [String: BlockDevice] = [:]
    private(set) var networks: [String: NetDevice] = [:]
    let balloon: BalloonDevice
    private let memory: MachineMemory
    private let virtualMachine: VirtualMachine
    private let ending: MachineEnding
    /// Takes the acknowledgements of interrupts that say nothing: the kernel signals it, and nobody looks.
    private let acknowledged: EventFD

    /// Makes the devices that `arguments` speak of, and connects them to the machine.
    init(
        _ arguments: MachineArguments, memory: MachineMemory, virtualMachine: VirtualMachine, loop: DeviceLoop,
        ending: MachineEnding
    ) throws(VMMError) {
        self.memory = memory
        self.virtualMachine = virtualMachine
        self.ending = ending
        acknowledged = try preparing("eventfd") { () throws(Errno) in try EventFD() }
        do { balloon = try BalloonDevice(loop: loop) } catch { throw .device("balloon", error) }
        if let sockets = arguments.sockets { try add(sockets, loop) }
        if let share = arguments.share { try add(share, loop) }
        for disk in arguments.disks { try add(disk, loop) }
        for network in arguments.networks { try add(network, loop) }
        let entropy = EntropyDevice(loop: loop)
        try add("entropy", entropy, { entropy.metrics })
        let balloon = balloon
        try add("balloon", balloon, { balloon.metrics })
    }

    var count: Int { transports.count }

    /// The machine has ended: no device touches the guest's memory any more when this returns.
    func stop() { for transport in transports { transport.stop() } }

    private func add(_ sockets: MachineArguments.Sockets, _ loop: DeviceLoop) throws(VMMError) {
        let ending = ending
        let device = try preparing("vsock device") { () throws(Errno) in
            try VsockDevice(
                guestCID: sockets.guestCID, listener: FileDescriptor(owning: sockets.listener), loop: loop)
        }
        // A machine that cannot be talked to is of no use.
        let counters = device.counters
        try add("vsock", device, { counters.metrics }) { ending.tell(.device(name: "vsock", $0)) }
    }

    private func add(_ share: MachineArguments.Share, _ loop: DeviceLoop) throws(VMMError) {
        let ending = ending
        var configuration = Array(share.tag.utf8)
        // struct virtio_fs_config, virtio 1.2 §5.11.4: a tag of 36 bytes, padded with NULs, and the number of queues.
        configuration += [UInt8](repeating: 0, count: 36 - configuration.count) + [1, 0, 0, 0]
        let device: VhostUserDevice
        do throws(VhostUserError) {
            device = try VhostUserDevice(
                type: .fileSystem, queueSizes: [128, 1024], configuration: .given(configuration),
                connection: FileDescriptor(owning: share.socket), memory: memory.pieces, loop: loop)
        } catch {
            throw .share(error)
        }
        try add("fs", device, { [] }) { ending.tell(.device(name: "fs", $0)) }
    }

    private func add(_ arguments: DiskArguments, _ loop: DeviceLoop) throws(VMMError) {
        guard disks[arguments.id] == nil else { throw .repeatedName(arguments.id) }
        let device: BlockDevice
        do throws(BlockError) {
            device = try BlockDevice(
                disk: Disk(FileDescriptor(owning: arguments.descriptor), isReadOnly: arguments.isReadOnly),
                identifier: arguments.id, limits: arguments.limits, loop: loop)
        } catch {
            throw .disk(arguments.id, error)
        }
        disks[arguments.id] = device
        try add("disk-\(arguments.id)", device, { device.metrics })
    }

    private func add(_ arguments: NetworkArguments, _ loop: DeviceLoop) throws(VMMError) {
        guard networks[arguments.id] == nil else { throw .repeatedName(arguments.id) }
        let device: NetDevice
        do throws(NetError) {
            device = try NetDevice(
                tap: Tap(FileDescriptor(owning: arguments.descriptor)), address: arguments.address,
                mtu: arguments.mtu.map { Int($0) }, receive: arguments.limits.receive,
                transmit: arguments.limits.transmit, loop: loop)
        } catch {
            throw .network(arguments.id, error)
        }
        networks[arguments.id] = device
        try add("net-\(arguments.id)", device, { device.metrics })
    }

    /// Gives `device` the next slot: registers, an interrupt, and a signal for each of its queues.
    private func add(
        _ name: String, _ device: any VirtioDevice, _ metrics: @escaping @Sendable () -> [Metric],
        onFailure: @escaping @Sendable (VirtioError) -> Void = { _ in }
    ) throws(VMMError) {
        guard let slot = MachineLayout.slot(transports.count) else {
            throw .tooManyDevices(limit: MachineLayout.maximumDevices)
        }
        let interrupt = try preparing(name) { () throws(Errno) in try EventFD() }
        try kvm { () throws(KVMError) in try virtualMachine.route(interrupt, to: slot.gsi) }
        let transport: MMIOTransport
        do {
            transport = try MMIOTransport(
                device: device, memory: memory.memory, interrupt: interrupt, onFailure: onFailure)
        } catch {
            throw .prepare(operation: name, error)
        }
        for (index, number) in transport.notifications.enumerated() {
            let kick = try preparing(name) { () throws(Errno) in
                EventFD(owning: try FileDescriptor.duplicate(of: number, minimum: 3))
            }
            try kvm { () throws(KVMError) in
                try virtualMachine.signal(
                    kick, onWriteTo: slot.address + MMIOTransport.notifyOffset, byteCount: 4, value: UInt64(index))
            }
        }
        try kvm { () throws(KVMError) in
            try virtualMachine.signal(
                acknowledged, onWriteTo: slot.address + MMIOTransport.acknowledgeOffset, byteCount: 4,
                value: UInt64(MMIOTransport.usedBufferAcknowledgement))
        }
        transports.append(transport)
        sections.append(MetricsReport.Section(name: name) { metrics() + transport.metrics })
    }
}
