// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan

/// What a process that was just forked was handed, and how it talks to the agent.
struct LaunchContext {
    /// The socket to the agent, of packets.
    let channel: BorrowedDescriptor
    /// Input, output and errors; not with a terminal.
    let streams: [BorrowedDescriptor]
    /// Namespaces of other processes that it enters.
    let joinedNamespaces: [JoinedNamespace]
    /// Other containers that it takes something from: their first processes, by pidfd.
    var others: [String: BorrowedDescriptor] = [:]

    /// Namespaces of one process.
    struct JoinedNamespace {
        /// A pidfd of the process.
        let process: BorrowedDescriptor
        let namespaces: Process.Namespaces
    }

    /// What must stay open.
    var descriptors: [BorrowedDescriptor] { [channel] + streams + joinedNamespaces.map(\.process) + others.values }

    func enterNamespaces() throws(LaunchFailure) {
        for joined in joinedNamespaces {
            try step(.namespaces, "join namespaces", try Process.enter(joined.process, joined.namespaces))
        }
    }

    func takeStreams() throws(LaunchFailure) {
        try step(.prepare, "take the streams") { () throws(Errno) in
            for (number, stream) in streams.enumerated() { try FileDescriptor.assign(Int32(number), from: stream) }
        }
    }

    func report(_ message: LaunchMessage, with terminal: BorrowedDescriptor? = nil) throws(LaunchFailure) {
        let bytes = message.bytes
        try step(
            .prepare, "report to the agent", try DescriptorPassing.send(bytes, terminal.map { [$0] } ?? [], on: channel)
        )
    }

    /// Returns once the agent says so; ends the process where the agent has let go of it.
    func waitForStart() throws(LaunchFailure) {
        let byte = try step(.prepare, "wait for start", try channel.duplicate().read(upTo: 1))
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
