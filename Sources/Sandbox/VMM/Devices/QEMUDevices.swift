// SPDX-License-Identifier: Apache-2.0
import Linux
import ProgramArguments
import Virtio

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
    /// another: the first device's on the calling one, and the machine lasts as long as that.
    private static func serveDevices(_ arguments: DeviceArguments) throws(VMMError) {
        let loop = try preparing("device loop", try DeviceLoop())
        let table = try DeviceTable(arguments, loop: loop)
        let sessions = VhostUserSessions()
        var all: [VhostUserSession] = []
        for device in table.all {
            if let frontEnd = device.frontEnd { all.append(try sessions.add(device, frontEnd)) }
        }
        let control = try MonitorControl(
            control: FileDescriptor(owning: arguments.control),
            log: BorrowedDescriptor(rawValue: arguments.log), loop: loop,
            report: MetricsReport(
                timeline: BootTimeline(),
                sections: table.all.map { MetricsReport.Section(name: $0.name, of: $0.counters) }),
            answer: ControlCommands(devices: table).answer)
        let serving = try serve(loop, in: arguments.sockets.directory) { [sessions] error in
            sessions.fail(.prepare(operation: "device loop", error))
        }
        do throws(VMMError) {
            for session in all.dropFirst() { try session.start() }
            all.first?.serve()
        } catch {
            sessions.fail(error)
        }
        sessions.end()
        for session in all { session.join() }
        loop.stop()
        serving.join()
        _ = control
        if let failure = sessions.failure { throw failure }
    }

    /// Runs `loop` on a thread of its own, whose working directory is `directory`, where the host's ports are: the
    /// only place where names are looked up.
    private static func serve(
        _ loop: DeviceLoop, in directory: String, onFailure: @escaping @Sendable (Errno) -> Void
    ) throws(VMMError) -> Thread {
        do {
            return try Thread(named: "devices") {
                do throws(Errno) {
                    try Thread.enter(directory: directory)
                    try loop.run()
                } catch {
                    onFailure(error)
                }
            }
        } catch {
            throw .prepare(operation: "device thread", error)
        }
    }
}
