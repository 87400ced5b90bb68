// SPDX-License-Identifier: Apache-2.0
import Balloon
import Block
import Entropy
import GuestMemory
import Linux
import Net
import ProgramArguments
import SandboxPlan
import VhostUser
import Virtio
import Vsock

/// A virtio device of the machine, however its driver reaches it: over registers in a machine of our own
/// (``MMIOSlots``), over vhost-user in one that QEMU runs (``VhostUserSessions``).
struct MachineDevice {
    /// In the report of figures: `vsock`, `disk-root-0`.
    var name: String
    /// In messages: `vsock device`, `disk root-0`.
    var title: String
    var device: any VirtioDevice
    /// The machine is of no use without it: what breaks it ends the machine.
    var isVital = false
    /// Where QEMU's end of the device is; nil in a machine of our own.
    var frontEnd: FrontEnd?

    /// A socket's descriptor, not owned here.
    enum FrontEnd {
        /// Connected to it.
        case connected(BorrowedDescriptor)
        /// It connects to this one, once.
        case listening(BorrowedDescriptor)
    }

    /// What the device counts, if it counts anything.
    var counters: [any Metered] { (device as? any Metered).map { [$0] } ?? [] }
}

/// A machine's virtio devices, in the order of their slots: what each is made of stands here, once for both engines.
final class DeviceTable {
    private(set) var all: [MachineDevice] = []
    /// What takes commands while the machine runs, by the names they were given.
    private(set) var disks: [String: BlockDevice] = [:]
    private(set) var networks: [String: NetDevice] = [:]
    private(set) var balloon: BalloonDevice?
    /// Whether a guest is told that a device's configuration has changed.
    let tellsOfChanges: Bool
    private let loop: DeviceLoop

    /// The devices of a machine of our own.
    ///
    /// - Parameter memory: of the guest, for the back-ends of vhost-user devices.
    init(_ arguments: MachineArguments, memory: [GuestMemory.Piece], loop: DeviceLoop) throws(VMMError) {
        self.loop = loop
        tellsOfChanges = true
        if let sockets = arguments.sockets { try add(sockets) }
        if let share = arguments.share { try add(share, memory) }
        for disk in arguments.disks { try add(disk) }
        for network in arguments.networks { try add(network) }
        all.append(MachineDevice(name: "entropy", title: "entropy device", device: EntropyDevice(loop: loop)))
        let balloon: BalloonDevice
        do { balloon = try BalloonDevice(loop: loop) } catch { throw .device("balloon device", .broken(error)) }
        all.append(MachineDevice(name: "balloon", title: "balloon device", device: balloon))
        self.balloon = balloon
    }

    /// The devices of a machine that QEMU runs.
    init(_ arguments: DeviceArguments, loop: DeviceLoop) throws(VMMError) {
        self.loop = loop
        tellsOfChanges = false
        try add(arguments.sockets, frontEnd: .connected(BorrowedDescriptor(rawValue: arguments.vsockVhost)))
        for served in arguments.disks {
            try add(served.disk, frontEnd: .connected(BorrowedDescriptor(rawValue: served.vhost)))
        }
        for served in arguments.networks {
            try add(served.network, frontEnd: .listening(BorrowedDescriptor(rawValue: served.listener)))
        }
    }

    private func add(_ sockets: SocketArguments, frontEnd: MachineDevice.FrontEnd? = nil) throws(VMMError) {
        let device = try preparing(
            "vsock device",
            try VsockDevice(
                guestCID: sockets.guestCID, listener: FileDescriptor(owning: sockets.listener), loop: loop))
        // A machine that cannot be talked to is of no use.
        all.append(
            MachineDevice(
                name: "vsock", title: "vsock device", device: device, isVital: true, frontEnd: frontEnd))
    }

    private func add(_ share: ShareArguments, _ memory: [GuestMemory.Piece]) throws(VMMError) {
        guard let configuration = FileSystemConfiguration(tag: share.tag) else {
            throw .arguments(.badValue(flag: "--fs-tag", value: share.tag))
        }
        let device: VhostUserDevice
        do {
            device = try VhostUserDevice(
                type: .fileSystem, queueSizes: [128, 1024], configuration: .given(configuration.bytes),
                connection: FileDescriptor(owning: share.socket), memory: memory, loop: loop)
        } catch {
            throw .device("fs device", .connection(error))
        }
        all.append(MachineDevice(name: "fs", title: "fs device", device: device, isVital: true))
    }

    private func add(_ disk: DiskPlan, frontEnd: MachineDevice.FrontEnd? = nil) throws(VMMError) {
        let (id, title) = (disk.serial, "disk \(disk.serial)")
        guard disks[id] == nil else { throw .repeatedName(id) }
        let device: BlockDevice
        do {
            device = try BlockDevice(
                disk: Disk(FileDescriptor(owning: disk.descriptor), isReadOnly: disk.isReadOnly),
                identifier: id, limits: disk.limits, loop: loop)
        } catch {
            throw .device(title, .disk(error))
        }
        disks[id] = device
        all.append(MachineDevice(name: "disk-\(id)", title: title, device: device, frontEnd: frontEnd))
    }

    private func add(_ network: NetworkArguments, frontEnd: MachineDevice.FrontEnd? = nil) throws(VMMError) {
        let title = "network \(network.id)"
        guard networks[network.id] == nil else { throw .repeatedName(network.id) }
        let device: NetDevice
        do {
            device = try NetDevice(
                tap: network.descriptor.map { (number) throws(NetError) in try Tap(FileDescriptor(owning: number)) },
                address: network.address,
                mtu: network.mtu.map { Int($0) }, receive: network.limits.receive,
                transmit: network.limits.transmit, loop: loop)
        } catch {
            throw .device(title, .network(error))
        }
        networks[network.id] = device
        all.append(MachineDevice(name: "net-\(network.id)", title: title, device: device, frontEnd: frontEnd))
    }
}
