import Linux
import Synchronization
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
        let outcome = Result { () throws(VMMError) in try serveVsock(arguments) }
        // Whatever ended the machine, what it said last is worth having.
        relay.end()
        copying.join()
        try outcome.get()
    }

    /// Serves the vsock device until QEMU hangs up.
    private static func serveVsock(_ arguments: DeviceArguments) throws(VMMError) {
        let connection = FileDescriptor(owning: arguments.vsockVhost)
        let failure = Failure()
        let loop: DeviceLoop
        let line: Line
        let device: VsockDevice
        do {
            // A second descriptor, for the devices' thread to hang up on.
            line = Line(try connection.duplicate())
            loop = try DeviceLoop()
            device = try VsockDevice(
                guestCID: arguments.guestCID, listener: FileDescriptor(owning: arguments.vsockListener), loop: loop
            ) { [line] error in
                // A machine that cannot be talked to is of no use: end it.
                failure.note(error)
                line.hangUp()
            }
        } catch {
            throw .prepare(operation: "vsock device", error)
        }
        let counters = device.counters
        let report = MetricsReport(
            timeline: BootTimeline(), sections: [MetricsReport.Section(name: "vsock") { counters.metrics }])
        let attendance = try Attendance(
            control: arguments.control, log: arguments.log, loop: loop, report: report, answer: { _ in nil })
        let serving = try serve(loop, in: arguments.vsockDirectory) { [line] error in
            failure.note(error)
            line.hangUp()
        }
        var outcome: VhostUserError?
        do throws(VhostUserError) {
            try Backend(device: device, connection: connection).serve()
        } catch {
            outcome = error
        }
        loop.stop()
        serving.join()
        _ = attendance
        if let error = failure.first { throw .vsock(error) }
        if let outcome { throw .vhostUser(outcome) }
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

/// The first thing that broke the device.
private final class Failure: Sendable {
    private let error = Mutex<VirtioError?>(nil)

    func note(_ new: VirtioError) { error.withLock { $0 = $0 ?? new } }

    var first: VirtioError? { error.withLock { $0 } }
}

/// A connection to be hung up on by whoever holds this.
private final class Line: Sendable {
    private let connection: FileDescriptor

    init(_ connection: consuming FileDescriptor) { self.connection = connection }

    func hangUp() {
        // The other end may have done so already.
        try? UnixSocket.shutdownReading(connection.rawValue)
        try? UnixSocket.shutdownWriting(connection.rawValue)
    }
}
