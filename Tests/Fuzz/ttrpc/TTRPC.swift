// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TTRPC
import TaskProtocol

/// A peer of ttrpc that means no good. The first byte says which side it is on and into how many pieces its stream is
/// cut, the rest is the stream. Whatever it sends: no call too many, each answered once, and when it has gone nothing
/// is left.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTTRPC(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    // libFuzzer gives `byteCount` readable bytes at `data` until this returns, and calls from one thread.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: byteCount))
    guard let shape = bytes.first else { return 0 }
    let stream = Array(bytes.dropFirst())
    let piece = max(1, stream.count / (Int(shape >> 1) % 16 + 1))
    var pieces: [[UInt8]] = []
    for start in stride(from: 0, to: stream.count, by: piece) {
        pieces.append(Array(stream[start..<min(start + piece, stream.count)]))
    }
    if shape & 1 == 0 { unsafe served.run(pieces) } else { unsafe calling.run(pieces) }
    return 0
}

nonisolated(unsafe) private let served = Served()
nonisolated(unsafe) private let calling = Calling()

/// What the socket takes of `bytes`; false where the other side has closed.
private func send(_ bytes: [UInt8], _ socket: borrowing FileDescriptor, _ work: () -> Void) -> Bool {
    var sent = 0
    while sent < bytes.count {
        guard let count = try? Socket.send(bytes, from: sent, on: socket.borrowed) else { return false }
        sent += count
        work()
    }
    return true
}

private func path(_ name: String) -> String { "/tmp/ttrpc-fuzz-\(name)-\(getpid())" }

/// A socket that goes with the process.
private func listen(_ name: String) -> FileDescriptor {
    atexit { for name in ["server", "client"] { _ = unsafe unlink(path(name)) } }
    return try! UnixSocket.listen(at: path(name))
}

/// A server whose clients are hostile.
private final class Served {
    private final class Taken {
        var calls: [Call] = []
        var most = 0
    }

    private let server: Server
    private let taken = Taken()
    private var now = ContinuousClock.now
    private let limits: ServerLimits

    init() {
        var limits = ServerLimits()
        limits.callsPerConnection = 8
        limits.heldByteCount = 4096
        limits.queuedByteCount = 1 << 16
        self.limits = limits
        let taken = self.taken
        server = try! Server(listener: listen("server"), limits: limits) { call in
            switch call.method.utf8.first ?? 0 {
            // Answered at once, refused, dropped; the rest is kept.
            case UInt8(ascii: "a"): call.answer(call.payload)
            case UInt8(ascii: "f"): call.fail(Failure(.notFound, call.service))
            case UInt8(ascii: "d"): break
            default:
                taken.calls.append(call)
                taken.most = max(taken.most, taken.calls.count { !$0.isGone })
            }
        }
    }

    func run(_ pieces: [[UInt8]]) {
        do {
            let socket = try! UnixSocket.connect(to: path("server"))
            for piece in pieces {
                guard send(piece, socket, { _ = server.work(now: now) }) else { break }
                now += .milliseconds(1)
                // Half of those kept are answered amid the stream.
                if let call = taken.calls.first, taken.calls.count.isMultiple(of: 2) {
                    call.answer([1])
                    precondition(call.isGone, "answered, and still there")
                    taken.calls.removeFirst()
                }
            }
            for _ in 0..<8 { _ = server.work(now: now) }
            precondition(taken.most <= limits.callsPerConnection, "more calls than may wait")
        }
        for _ in 0..<8 where server.connectionCount > 0 { _ = server.work(now: now) }
        precondition(server.connectionCount == 0 && !server.hasPending, "a connection is left")
        precondition(taken.calls.allSatisfy { $0.isGone }, "somebody waits who has gone")
        taken.calls = []
    }
}

/// A client whose server is hostile.
private final class Calling {
    private let client: Client
    private let listener: FileDescriptor

    init() {
        listener = listen("client")
        client = try! Client(path: path("client"))
    }

    func run(_ pieces: [[UInt8]]) {
        let now = ContinuousClock.now
        var told = [0, 0, 0, 0]
        for index in told.indices {
            client.call(service: "s", method: "m", payload: [UInt8(index)], timeout: .seconds(60)) { _ in
                told[index] += 1
            }
        }
        do {
            let socket = try! UnixSocket.accept(listener.borrowed)
            for piece in pieces {
                guard send(piece, socket, { _ = client.work(now: now) }) else { break }
            }
            for _ in 0..<8 { _ = client.work(now: now) }
        }
        for _ in 0..<8 where client.callCount > 0 { _ = client.work(now: now) }
        client.disconnect()
        _ = client.work(now: now)
        precondition(told == [1, 1, 1, 1] && client.callCount == 0, "a call was told of \(told) times")
    }
}
