import Glibc
import Linux
import OCISpec
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
    let number = listener.rawValue
    let thread = try Thread(named: "monitor") {
        guard let peer = try? UnixSocket.accept(number) else { return }
        monitor(peer)
    }
    let result = Result { () throws(Errno) in
        try Runtime.askMonitor(at: path, "metrics", deadline: Deadline(after: timeout))
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
    @Test func anAnswerInPieces() throws {
        let result = try answer { peer in
            guard (try? peer.read(upTo: 100)) == Array("metrics\n".utf8) else { return }
            for piece in ["{\"vsock\":", "{\"rx_bytes\":", "5}}\n"] {
                try? peer.writeAll(Array(piece.utf8))
                usleep(10_000)
            }
        }
        #expect(try result.get() == Array("{\"vsock\":{\"rx_bytes\":5}}\n".utf8))
    }

    @Test func silence() throws {
        let start = ContinuousClock.now
        let result = try answer(within: .milliseconds(200)) { peer in
            // Until the peer has had enough.
            _ = try? peer.read(upTo: 100)
            _ = try? peer.read(upTo: 100)
        }
        #expect(result == .failure(.timedOut))
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test func aDribble() throws {
        let result = try answer(within: .milliseconds(200)) { peer in
            while (try? Socket.send([0x20], from: 0, on: peer.rawValue)) == 1 { usleep(1000) }
        }
        #expect(result == .failure(.timedOut))
    }

    @Test func aFlood() throws {
        let result = try answer { peer in
            let piece = [UInt8](repeating: 0x20, count: 65536)
            while (try? Socket.send(piece, from: 0, on: peer.rawValue)) != nil { usleep(100) }
        }
        #expect(result == .failure(Errno(rawValue: EFBIG)))
    }

    @Test func nobody() throws {
        let directory = try makeDirectory()
        defer { unsafe rmdir(directory) }
        #expect(throws: Errno.noSuchFile) {
            try Runtime.askMonitor(at: directory + "/none", "metrics", deadline: Deadline(after: .seconds(1)))
        }
    }
}
