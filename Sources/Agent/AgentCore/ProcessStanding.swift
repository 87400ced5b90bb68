import Glibc
import Linux
import SandboxPlan

/// Where a process just forked stands: what it was handed, and how it talks to the agent.
struct ProcessStanding {
    /// The socket to the agent, of packets.
    let channel: Int32
    /// Input, output and errors; not with a terminal.
    let streams: [Int32]
    /// Namespaces to enter, by pidfd or namespace descriptor.
    let entrances: [Entrance]

    struct Entrance {
        let descriptor: Int32
        let namespaces: Process.Namespaces
    }

    /// What must stay open.
    var descriptors: [Int32] { [channel] + streams + entrances.map(\.descriptor) }

    func enterNamespaces() throws(LaunchFailure) {
        for entrance in entrances {
            try step(.namespaces, "join namespaces") { () throws(Errno) in
                try Process.enter(entrance.descriptor, entrance.namespaces)
            }
        }
    }

    func takeStreams() throws(LaunchFailure) {
        try step(.prepare, "take the streams") { () throws(Errno) in
            for (number, stream) in streams.enumerated() { try FileDescriptor.assign(Int32(number), from: stream) }
        }
    }

    func report(_ message: LaunchMessage, with descriptor: Int32? = nil) throws(LaunchFailure) {
        let bytes = message.bytes
        try step(.prepare, "report to the agent") { () throws(Errno) in
            try DescriptorPassing.send(bytes, descriptor.map { [$0] } ?? [], on: channel)
        }
    }

    /// Returns once the agent says so; ends the process where the agent has let go of it.
    func waitForStart() throws(LaunchFailure) {
        let byte = try step(.prepare, "wait for start") { () throws(Errno) in
            try FileDescriptor.duplicate(of: channel, minimum: 3).read(upTo: 1)
        }
        if byte.isEmpty { Process.exitNow(1) }
    }

    /// Runs `body`, tells the agent why it failed, and ends.
    func finish(_ body: () throws(LaunchFailure) -> Never) -> Never {
        do throws(LaunchFailure) {
            try body()
        } catch {
            try? report(.failed(error))
            // What a shell says of a program it cannot find, or cannot run.
            Process.exitNow(error.errno == ENOENT ? 127 : 126)
        }
    }
}
