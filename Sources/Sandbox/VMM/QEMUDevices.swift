import Block
import Linux
import VhostUser
import Virtio
import Vsock

/// The devices of a machine that QEMU runs, each reached over a vhost-user socket, and the keeper of its console's
/// log. The devices know nothing of that: another machine brings another transport and leaves them as they are.
enum QEMUDevices {
    /// Serves until QEMU hangs up.
    static func serve(_ arguments: DeviceArguments) throws(VMMError) {
        let relay = try ConsoleRelay(
            console: FileDescriptor(owning: arguments.console), file: FileDescriptor(owning: arguments.consoleLog))
        let copying: Thread
        do { copying = try Thread(named: "console") { relay.run() } } catch {
            throw .prepare(operation: "console thread", error)
        }
        let outcome = Result { () throws(VMMError) in try serveDevices(arguments) }
        // Whatever ended the machine, what it said last is worth having.
        relay.end()
        copying.join()
        try outcome.get()
    }

    /// The devices work on one thread, as in a machine of our own. Each has its socket's messages, which are few, on
    /// another: the vsock device's on the calling one.
    private static func serveDevices(_ arguments: DeviceArguments) throws(VMMError) {
        let sessions = VhostSessions()
        let connection = FileDescriptor(owning: arguments.vsockVhost)
        let loop: DeviceLoop
        let vsock: VsockDevice
        do {
            try sessions.add(connection)
            loop = try DeviceLoop()
            vsock = try VsockDevice(
                guestCID: arguments.guestCID, listener: FileDescriptor(owning: arguments.vsockListener), loop: loop
            ) { [sessions] error in
                // A machine that cannot be talked to is of no use: end it.
                sessions.fail(.vsock(error))
            }
        } catch {
            throw .prepare(operation: "vsock device", error)
        }
        let counters = vsock.counters
        var sections = [MetricsReport.Section(name: "vsock") { counters.metrics }]
        var disks: [ServedDisk] = []
        for disk in arguments.disks {
            guard !disks.contains(where: { $0.id == disk.id }) else { throw .repeatedName(disk.id) }
            let served = try ServedDisk(disk, loop: loop, sessions: sessions)
            let device = served.device
            sections.append(MetricsReport.Section(name: "disk-\(disk.id)") { device.metrics })
            disks.append(served)
        }
        let attendance = try Attendance(
            control: arguments.control, log: arguments.log, loop: loop,
            report: MetricsReport(timeline: BootTimeline(), sections: sections), answer: { _ in nil })
        let serving = try serve(loop, in: arguments.vsockDirectory) { [sessions] error in
            sessions.fail(.vsock(error))
        }
        do throws(VMMError) {
            for disk in disks { try disk.start() }
            sessions.serve(vsock, on: connection, VMMError.vhostUser)
        } catch {
            sessions.fail(error)
        }
        sessions.end()
        for disk in disks { disk.join() }
        loop.stop()
        serving.join()
        _ = attendance
        if let failure = sessions.failure { throw failure }
    }

    /// Runs `loop` on a thread of its own, whose working directory is `directory`, where the host's ports are: the
    /// only place where names are looked up. The descriptor is taken over.
    private static func serve(
        _ loop: DeviceLoop, in directory: Int32, onFailure: @escaping @Sendable (VirtioError) -> Void
    ) throws(VMMError) -> Thread {
        do {
            return try Thread(named: "devices") {
                do throws(Errno) {
                    let directory = FileDescriptor(owning: directory)
                    try Thread.enter(directory: directory.rawValue)
                    try loop.run()
                } catch {
                    onFailure(.activation(operation: "device loop", errno: error.rawValue))
                }
            }
        } catch {
            throw .prepare(operation: "device thread", error)
        }
    }
}

/// A disk, and the thread that listens to what QEMU says of it.
private final class ServedDisk {
    let id: String
    let device: BlockDevice
    private let sessions: VhostSessions
    private var connection: FileDescriptor?
    private var thread: Thread?

    init(_ arguments: DiskArguments, loop: DeviceLoop, sessions: VhostSessions) throws(VMMError) {
        id = arguments.id
        self.sessions = sessions
        do throws(BlockError) {
            device = try BlockDevice(
                disk: Disk(FileDescriptor(owning: arguments.descriptor), isReadOnly: arguments.isReadOnly),
                identifier: arguments.id, limits: arguments.limits, loop: loop)
        } catch {
            throw .disk(arguments.id, error)
        }
        guard let vhost = arguments.vhost else { throw .missingFlag("vhost-fd") }
        let connection = FileDescriptor(owning: vhost)
        try preparing("disk \(arguments.id)") { () throws(Errno) in try sessions.add(connection) }
        self.connection = consume connection
    }

    func start() throws(VMMError) {
        guard let number = connection.take()?.release() else { return }
        let (id, device, sessions) = (id, device, sessions)
        do {
            thread = try Thread(named: "disk") {
                sessions.serve(device, on: FileDescriptor(owning: number)) { .diskSession(id, $0) }
            }
        } catch {
            _ = FileDescriptor(owning: number)
            throw .prepare(operation: "disk thread", error)
        }
    }

    /// Waits for the session's end.
    func join() { thread.take()?.join() }
}
