// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import OCISpec
import Synchronization
import Testing

@testable import Sandbox

/// A monitor that does what a test says, for one peer.
private func answer(
    within timeout: Duration = .seconds(10), _ monitor: @escaping @Sendable (borrowing FileDescriptor) -> Void
) throws -> Result<[UInt8], Errno> {
    let directory = try makeDirectory()
    defer { unsafe rmdir(directory) }
    let path = directory + "/m.sock"
    let listener = try UnixSocket.listen(at: path)
    defer { unsafe unlink(path) }
    let number = listener.borrowed
    let thread = try Thread(named: "monitor") {
        guard let peer = try? UnixSocket.accept(number) else { return }
        monitor(peer)
    }
    let result = Result { () throws(Errno) in
        try MachineFiles.askMonitor(at: path, "metrics", deadline: Deadline(after: timeout))
    }
    thread.join()
    return result
}

private func makeDirectory() throws -> String {
    let path = "/tmp/fc-monitor-\(UInt64.random(in: 0 ... .max))"
    guard unsafe mkdir(path, 0o700) == 0 else { throw Errno(rawValue: errno) }
    return path
}

@Suite("Asking a monitor", .timeLimit(.minutes(1)))
struct MonitorAccessTests {
    @Test("An answer that arrives in pieces is read whole")
    func anAnswerInPieces() throws {
        let result = try answer { peer in
            guard (try? peer.read(upTo: 100)) == Array("metrics\n".utf8) else { return }
            for piece in ["{\"vsock\":", "{\"rx_bytes\":", "5}}\n"] {
                try? peer.writeAll(Array(piece.utf8))
                usleep(10_000)
            }
        }
        #expect(try result.get() == Array("{\"vsock\":{\"rx_bytes\":5}}\n".utf8))
    }

    @Test("A monitor that does not answer times out")
    func silence() throws {
        let start = ContinuousClock.now
        let result = try answer(within: .milliseconds(200)) { peer in
            // Until the peer has had enough.
            _ = try? peer.read(upTo: 100)
            _ = try? peer.read(upTo: 100)
        }
        #expect(result == .failure(.timedOut))
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test("A monitor that answers byte by byte without end times out")
    func aDribble() throws {
        let result = try answer(within: .milliseconds(200)) { peer in
            while (try? Socket.send([0x20], from: 0, on: peer.borrowed)) == 1 { usleep(1000) }
        }
        #expect(result == .failure(.timedOut))
    }

    @Test("A monitor that answers without end is cut off with EFBIG")
    func aFlood() throws {
        let result = try answer { peer in
            let piece = [UInt8](repeating: 0x20, count: 65536)
            while (try? Socket.send(piece, from: 0, on: peer.borrowed)) != nil { usleep(100) }
        }
        #expect(result == .failure(Errno(rawValue: EFBIG)))
    }

    @Test("An order to a network slot names it, and brings the tap along")
    func ordersToASlot() throws {
        let pipe = try FileDescriptor.pipe()
        let heard = try order(answering: "ok\n") { (files) throws(RuntimeError) in
            try files.attach(tap: pipe.writer.borrowed, toSlot: 3, mtu: 1400)
        }
        #expect(heard.line == "net nic3 attach mtu=1400\n" && heard.error == nil)
        #expect(heard.isDescriptor)
        let plain = try order(answering: "ok\n") { (files) throws(RuntimeError) in
            try files.attach(tap: pipe.writer.borrowed, toSlot: 0, mtu: nil)
        }
        #expect(plain.line == "net nic0 attach\n" && plain.error == nil)
        let detached = try order(answering: "ok\n") { (files) throws(RuntimeError) in try files.detach(slot: 7) }
        #expect(detached.line == "net nic7 detach\n" && detached.error == nil && !detached.isDescriptor)
    }

    @Test(
        "An order that is refused is an error with the slot and the monitor's words, bare of what terminals obey",
        arguments: [
            ("error: network nic3: a tap is attached already\n", "error: network nic3: a tap is attached already"),
            ("ok", "ok"), ("ok\nok\n", "ok"), ("", "the monitor said nothing"), ("\u{1b}[2J\n", "?[2J"),
            (String(repeating: "x", count: 300) + "\n", String(repeating: "x", count: 256)),
        ])
    func ordersThatAreRefused(answer: String, words: String) throws {
        let heard = try order(answering: answer) { (files) throws(RuntimeError) in try files.detach(slot: 3) }
        #expect(heard.error == "network slot 3: detach: \(words)")
    }

    @Test("An order to a machine that has no monitor is an error with the slot")
    func ordersToNobody() throws {
        let files = MachineFiles(directory: try makeDirectory())
        defer { unsafe rmdir(files.directory) }
        let error = #expect(throws: RuntimeError.self) { try files.detach(slot: 1) }
        #expect("\(error.map { "\($0)" } ?? "")".hasPrefix("network slot 1: detach: the monitor: no such file"))
    }

    private struct Heard: Sendable {
        var line = ""
        var isDescriptor = false
        var error: String?
    }

    /// What a monitor hears of `body`, that answers so.
    private func order(
        answering answer: String, _ body: (MachineFiles) throws(RuntimeError) -> Void
    ) throws -> Heard {
        let files = MachineFiles(directory: try makeDirectory())
        let path = files.directory + "/monitor.sock"
        let listener = try UnixSocket.listen(at: path)
        defer {
            unsafe unlink(path)
            unsafe rmdir(files.directory)
        }
        let (number, box) = (listener.borrowed, Box())
        let thread = try Thread(named: "monitor") {
            guard let peer = try? UnixSocket.accept(number) else { return }
            var bytes = [UInt8](repeating: 0, count: 100)
            var descriptors = DescriptorList()
            let count = try? unsafe bytes.withUnsafeMutableBytes { buffer in
                try unsafe DescriptorPassing.receive(
                    into: buffer, maximum: 1, descriptors: &descriptors, from: peer.borrowed)
            }
            let heard = Heard(
                line: String(decoding: bytes[..<(count ?? 0)], as: UTF8.self), isDescriptor: !descriptors.isEmpty)
            box.heard.withLock { $0 = heard }
            try? peer.writeAll(Array(answer.utf8))
        }
        var error: String?
        do throws(RuntimeError) { try body(files) } catch let failure { error = "\(failure)" }
        thread.join()
        _ = consume listener
        var heard = box.heard.withLock { $0 }
        heard.error = error
        return heard
    }

    private final class Box: Sendable { let heard = Mutex(Heard()) }

    @Test("A missing monitor socket is an error")
    func nobody() throws {
        let directory = try makeDirectory()
        defer { unsafe rmdir(directory) }
        #expect(throws: Errno.noSuchFile) {
            try MachineFiles.askMonitor(at: directory + "/none", "metrics", deadline: Deadline(after: .seconds(1)))
        }
    }
}
