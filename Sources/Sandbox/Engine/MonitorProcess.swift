// SPDX-License-Identifier: Apache-2.0
import Linux
import ProgramArguments
import SandboxPlan

/// fc-vmm in its jail, as every engine starts it.
extension JailedProcess {
    /// The descriptor that it writes its log to.
    static let monitorLog: Int32 = 2

    /// - Parameter executable: fc-vmm, on the host.
    static func monitor(_ executable: String, _ devices: MachineDevices) -> JailedProcess {
        var process = JailedProcess(name: "fc-vmm", executable: executable, arguments: [])
        process.mounts = [
            JailMount(source: .processes, destination: "/proc", isReadOnly: true), devices.vsockMount,
        ]
        process.descriptors = [InheritedDescriptor(source: devices.log.rawValue, target: monitorLog)]
        process.resourceLimits = [.noCore]
        return process
    }

    /// Hands down the socket device's listener.
    mutating func inheritSockets(of machine: MachinePlan, _ devices: MachineDevices) -> SocketArguments {
        var sockets = SocketArguments()
        sockets.guestCID = machine.guestCID
        sockets.listener = inherit(devices.vsockListener)
        sockets.directory = MachineDevices.vsockPath
        return sockets
    }

    /// Hands down the devices that the plan has beside those of every machine, for a machine of fc-vmm's own.
    mutating func inheritPlannedDevices(of machine: MachinePlan, _ arguments: inout MachineArguments) {
        arguments.disks = machine.disks.map { inherit($0) }
        arguments.networks = machine.networkSlots.map { NetworkArguments(slot: $0) }
    }

    /// The same for QEMU's machine: each has a channel to it, a network one that QEMU connects to.
    mutating func inheritPlannedDevices(
        of machine: MachinePlan, disks: [BorrowedDescriptor], networks: [BorrowedDescriptor],
        _ arguments: inout DeviceArguments
    ) {
        for (disk, channel) in zip(machine.disks, disks) {
            var served = ServedDiskArguments()
            served.disk = inherit(disk)
            served.vhost = inherit(channel)
            arguments.disks.append(served)
        }
        for (slot, listener) in zip(machine.networkSlots, networks) {
            var served = ServedNetworkArguments()
            served.network = NetworkArguments(slot: slot)
            served.listener = inherit(listener)
            arguments.networks.append(served)
        }
    }

    /// Hands down a descriptor under the next number.
    ///
    /// - Returns: the number there.
    mutating func inherit(_ descriptor: BorrowedDescriptor) -> Int32 { inherit(descriptor.rawValue) }

    /// Hands down a disk.
    ///
    /// - Returns: the disk with its descriptor's number there.
    mutating func inherit(_ disk: DiskPlan) -> DiskPlan {
        var disk = disk
        disk.descriptor = inherit(disk.descriptor)
        return disk
    }
}

extension MachinePlan {
    /// How many devices there are beside those of every machine: disks, then network slots.
    var plannedDeviceCount: Int { disks.count + networkSlotCount }
}

extension [String] {
    /// The words of fc-vmm's command line.
    static func monitor(_ arguments: MonitorArguments) throws(EngineError) -> [String] {
        do throws(ArgumentError) {
            return try arguments.arguments()
        } catch {
            throw .arguments(program: "fc-vmm", error)
        }
    }
}
