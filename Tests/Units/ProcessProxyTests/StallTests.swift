// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Glibc
import Linux
import ProgramArguments
import Testing

@testable import ProcessProxy

/// fc-proxy itself, before a guest of the test's, when its process has ended: who still reads, and who still writes.
@Suite struct StallTests {
    /// A proxy, the guest's end of its connections, and the caller's of its output.
    private final class Scene {
        let pid: Int32
        let agent: FileDescriptor
        let guest: FileDescriptor
        private(set) var reader: FileDescriptor
        private var status: Process.ExitStatus?

        init(stall: Int?) throws {
            let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
            let program = bundle.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/fc-proxy"
            let control = try UnixSocket.pair()
            let output = try UnixSocket.pair()
            let caller = try FileDescriptor.pipe()
            let null = try FileDescriptor.open("/dev/null", .readWrite)
            let orders = try UnixSocket.pair(type: .sequencedPacket)
            var words = ["--container", "c", "--control-fd", "0", "--stdout-fd", "1"]
            if let stall { words += ["--stall-ms", "\(stall)"] }
            pid = try Process.spawn(
                program, [], environment: [ProxyOrder.variable + "=1"],
                descriptors: [
                    0: null.borrowed, 1: caller.writer.borrowed, 2: null.borrowed,
                    ProxyOrder.socket: orders.second.borrowed,
                ])
            try DescriptorPassing.send(
                ProxyOrder(.serve, words).bytes, [control.second.borrowed, output.second.borrowed],
                on: orders.first.borrowed)
            agent = control.first
            guest = output.first
            reader = caller.reader
            _ = consume control.second
            _ = consume output.second
            _ = consume caller.writer
            try guest.setNonBlocking(true)
        }

        deinit {
            if status == nil {
                try? Process.kill(pid, 9)
                _ = try? Process.wait(for: pid)
            }
        }

        /// Writes `count` bytes as the guest's process, as far as they are taken within a second.
        func write(_ count: Int) throws -> Int {
            let block = [UInt8](repeating: 7, count: 4096)
            var given = 0
            let deadline = Deadline(after: .seconds(1))
            while given < count, !deadline.hasPassed {
                let taken = try Socket.send(block, from: 0, on: guest.borrowed)
                given += taken
                if taken == 0 { SystemTime.sleep(milliseconds: 1) }
            }
            return given
        }

        func tell(_ exit: ProcessExit) throws {
            let frame = try AnswerMessage(id: ProcessProxy.firstRequest, answer: .exited(exit)).frame()
            _ = try Socket.send(frame, from: 0, on: agent.borrowed)
        }

        /// The caller reads no more.
        func leave() throws { reader = try FileDescriptor.open("/dev/null", .readWrite) }

        /// How the proxy ended, within ten seconds, and after how many milliseconds.
        func end() throws -> (status: Process.ExitStatus?, milliseconds: Int64) {
            let begin = SystemTime.monotonicNanoseconds()
            let deadline = Deadline(after: .seconds(10))
            while !deadline.hasPassed {
                if let ended = try Process.wait(for: pid, blocks: false) {
                    status = ended.status
                    break
                }
                SystemTime.sleep(milliseconds: 1)
            }
            return (status, (SystemTime.monotonicNanoseconds() - begin) / 1_000_000)
        }

        /// Reads what the caller gets until its end, within ten seconds; nil where that does not come.
        func takeAll() throws -> Int? {
            var taken = 0
            let deadline = Deadline(after: .seconds(10))
            while try !Poll.wait(reader.borrowed, .readable, until: deadline).isEmpty {
                let count = try reader.read(upTo: 65536).count
                if count == 0 { return taken }
                taken += count
            }
            return nil
        }
    }

    private func exit(_ status: ProcessExit.Status, _ byteCount: Int, requested: Bool = false) -> ProcessExit {
        var exit = ProcessExit(status: status)
        exit.outputByteCount = UInt64(byteCount)
        exit.wasRequested = requested
        return exit
    }

    /// The end is told although the output is not read, and a later reader gets all of it.
    @Test("The exit is reported after the stall time although nobody reads, and the output is kept")
    func outputThatNobodyTakesIsKept() throws {
        let scene = try Scene(stall: 300)
        let given = try scene.write(1 << 20)
        #expect(given > 200_000)
        try scene.tell(exit(.exited(code: 3), given))
        try UnixSocket.shutdownWriting(scene.guest.borrowed)
        let end = try scene.end()
        #expect(end.status == .exited(code: 3))
        #expect(end.milliseconds > 250)
        #expect(try scene.takeAll() == given)
    }

    @Test("Output that fits the pipe is delivered whole, without waiting for the stall time")
    func allOfItIsDeliveredToWhoTakesIt() throws {
        let scene = try Scene(stall: 5000)
        let given = try scene.write(30_000)
        try scene.tell(exit(.exited(code: 4), given))
        let end = try scene.end()
        #expect(end.status == .exited(code: 4))
        #expect(end.milliseconds < 4000)
        try UnixSocket.shutdownWriting(scene.guest.borrowed)
        #expect(try scene.takeAll() == given)
    }

    /// A kill does not wait for a reader, and leaves no process behind that does.
    @Test("The exit of a killed process does not wait for its reader")
    func aKilledProcessEndsSoon() throws {
        let scene = try Scene(stall: nil)
        let given = try scene.write(1 << 20)
        try scene.tell(exit(.signaled(signal: 9), given, requested: true))
        let end = try scene.end()
        #expect(end.status == .signaled(signal: 9))
        #expect(end.milliseconds < 4000)
        // What was in the pipe, as under runc.
        #expect(try scene.takeAll() == 65536)
    }

    @Test("A guest that disconnects counts as SIGKILL of the process")
    func aGuestThatGoesIsAKill() throws {
        let scene = try Scene(stall: nil)
        try UnixSocket.shutdownWriting(scene.agent.borrowed)
        #expect(try scene.end().status == .signaled(signal: 9))
    }

    /// Ended by a signal that stops: a lie.
    @Test("A forged exit by a stop signal is reported as SIGKILL")
    func aForgedEndStopsNobody() throws {
        let scene = try Scene(stall: nil)
        // id 1 << 32, exited { signal: 19 }.
        let message: [UInt8] = [8, 0x80, 0x80, 0x80, 0x80, 0x10, 6 << 3 | 2, 2, 2 << 3, 19]
        _ = try Socket.send([UInt8(message.count), 0, 0, 0] + message, from: 0, on: scene.agent.borrowed)
        #expect(try scene.end().status == .signaled(signal: 9))
    }

    /// The process has ended, and another still holds its output.
    @Test("Output of a background process arrives after the first process has exited")
    func whoStaysInTheBackgroundIsHeard() throws {
        let scene = try Scene(stall: nil)
        try scene.tell(exit(.exited(code: 0), 0))
        #expect(try scene.end().status == .exited(code: 0))
        _ = try Socket.send(Array("late".utf8), from: 0, on: scene.guest.borrowed)
        #expect(try !Poll.wait(scene.reader.borrowed, .readable, until: Deadline(after: .seconds(10))).isEmpty)
        #expect(try scene.reader.read(upTo: 10) == Array("late".utf8))
        try UnixSocket.shutdownWriting(scene.guest.borrowed)
        #expect(try scene.takeAll() == 0)
    }

    /// Nothing is written, and the guest learns of it all the same.
    @Test("A reader that leaves hangs up the guest's stream without a write")
    func theReadersLeavingReachesTheGuest() throws {
        let scene = try Scene(stall: nil)
        // The proxy has begun when it asks for the end.
        _ = try Poll.wait(scene.agent.borrowed, .readable, until: Deadline(after: .seconds(10)))
        try scene.leave()
        let events = try Poll.wait(scene.guest.borrowed, [], until: Deadline(after: .seconds(10)))
        #expect(events.contains(.hangUp))
    }
}
