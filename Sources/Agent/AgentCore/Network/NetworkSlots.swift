// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// The machine's network devices, virtio 1.2 §5.1. Most of them, for most of their time, have nothing behind them: the
/// driver is bound to a device only when the host has given it a network, so that there is no interface before.
struct NetworkSlots {
    /// sysfs(5): the virtio bus.
    private static let bus = "/sys/bus/virtio"
    private static let driver = bus + "/drivers/virtio_net"
    /// The driver's files in their order, where it is not built in.
    private static let modules = ["failover", "net_failover", "virtio_net"]

    /// The devices' names on the bus, by slot: the order in which the guest finds them is the host's.
    private let devices: [String]

    init() throws(Errno) {
        let directory = try FileDescriptor.open(Self.bus + "/devices", .directory)
        devices = try Directory.entries(of: directory.borrowed).map(\.name).filter(Self.isNetwork)
            .sorted { Self.number($0) < Self.number($1) }
        _ = consume directory
    }

    /// Takes the interfaces away that a driver which is built in has made of all devices at boot.
    static func clear() {
        guard (try? FileDescriptor.open(driver, .path)) != nil, let slots = try? NetworkSlots() else { return }
        for slot in slots.devices.indices { slots.unbind(UInt32(slot)) }
    }

    /// Makes an interface of the device at `slot`, where there is none.
    ///
    /// - Returns: the interface's name.
    func bind(_ slot: UInt32) throws(Errno) -> String {
        let device = try name(of: slot)
        if let name = interface(of: device) { return name }
        if (try? FileDescriptor.open(Self.driver, .path)) == nil { try Self.loadDriver() }
        try Self.write(device, to: Self.driver + "/bind")
        guard let name = interface(of: device) else { throw .noSuchDevice }
        return name
    }

    /// Takes the interface at `slot` away, where there is one.
    func unbind(_ slot: UInt32) {
        guard let device = try? name(of: slot) else { return }
        try? Self.write(device, to: Self.driver + "/unbind")
    }

    private func name(of slot: UInt32) throws(Errno) -> String {
        guard slot < devices.count else { throw .noSuchDevice }
        return devices[Int(slot)]
    }

    private func interface(of device: String) -> String? {
        guard let directory = try? FileDescriptor.open("\(Self.bus)/devices/\(device)/net", .directory) else {
            return nil
        }
        let names = (try? Directory.entries(of: directory.borrowed)) ?? []
        _ = consume directory
        return names.first?.name
    }

    private static func isNetwork(_ device: String) -> Bool {
        let kind = try? FileDescriptor.open("\(bus)/devices/\(device)/device").read(upTo: 16)
        return kind.map { $0 == Array("0x0001\n".utf8) } ?? false
    }

    /// Of `virtioN`.
    private static func number(_ device: String) -> Int { Int(device.dropFirst("virtio".utf8.count)) ?? .max }

    /// Loads the driver without its taking all devices at once, as a new driver does.
    private static func loadDriver() throws(Errno) {
        let probing = bus + "/drivers_autoprobe"
        try write("0", to: probing)
        defer { try? write("1", to: probing) }
        let directory = "\(GuestConvention.sharedDirectory)/\(GuestConvention.modulesName)"
        for module in modules { try Kernel.load(module: FileDescriptor.open("\(directory)/\(module).ko")) }
    }

    private static func write(_ text: String, to path: String) throws(Errno) {
        try FileDescriptor.open(path, .writeOnly).writeAll(Array(text.utf8))
    }
}
