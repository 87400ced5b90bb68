// SPDX-License-Identifier: Apache-2.0
import Glibc
import Handshake
import Linux

/// A shim that does nothing but shake hands: `start` and the daemon that it starts, as a program of its own. Where its
/// sockets are, and what it is to do wrong, its environment says.
enum ShimUnderTest {
    static func main() {
        // A `start` that has gone is no reason to end.
        _ = signal(SIGPIPE, SIG_IGN)
        do throws(HandshakeError) {
            let invocation = try Invocation(
                arguments: CommandLine.arguments, environment: ShimEnvironment(variables: ShimEnvironment.variables))
            switch invocation.action {
            case .start:
                var command = StartCommand()
                if let directory = variable("SHIM_SOCKETS") { command.socketDirectory = directory }
                command.limit = .seconds(5)
                let input = try StartCommand.readInput()
                write(
                    try command.run(invocation, input: input) { (annotations) throws(HandshakeError) in
                        if annotations["sandbox"] == "refused" { throw .annotations("refused") }
                        return annotations["sandbox"]
                    }, to: 1)
            case .serve: try serve(invocation)
            case .delete, .version, .info: exit(2)
            }
        } catch {
            write(Array("\(Answers.programName): \(error)".utf8), to: 2)
            exit(1)
        }
    }

    /// Answers each who connects with a line of what it is, until one sends something.
    private static func serve(_ invocation: Invocation) throws(HandshakeError) {
        var shim = try ServedShim(invocation)
        switch variable("SHIM_FAULT") {
        case "says":
            shim.reportFailure("no\nluck")
            exit(1)
        case "exits": exit(3)
        case "dies": Process.die(of: SIGKILL)
        case "hangs":
            pause()
            shim.reportFailure("woken")
        default: break
        }
        guard let listener = shim.takeListener() else { exit(4) }
        shim.reportReady()
        // Far more than a fifo holds.
        for _ in 0..<10_000 { write(Array("a line for the log\n".utf8), to: 2) }
        while true {
            _ = try? Poll.wait(listener.borrowed, .readable, until: nil)
            guard let client = try? UnixSocket.accept(listener.borrowed) else { continue }
            try? client.writeAll(Array("\(facts()) \(invocation.id)".utf8))
            try? UnixSocket.shutdownWriting(client.borrowed)
            if let sent = try? client.read(upTo: 1), !sent.isEmpty { break }
        }
        shim.removeSocket()
    }

    /// Its pid, session, OOM score, current directory and TTRPC_ADDRESS.
    private static func facts() -> String {
        let score = (try? FileDescriptor.open("/proc/self/oom_score_adj").read(upTo: 16)) ?? []
        let directory = (try? Process.currentDirectory()) ?? "?"
        return "\(getpid()) \(getsid(0)) \(String(decoding: score.dropLast(), as: UTF8.self)) \(directory) "
            + (variable("TTRPC_ADDRESS") ?? "none")
    }

    private static func variable(_ name: String) -> String? {
        ShimEnvironment.variables.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }

    private static func write(_ bytes: [UInt8], to number: Int32) {
        let file = FileDescriptor(owning: number)
        try? file.writeAll(bytes)
        _ = file.release()
    }
}
