// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TaskProtocol
import Testing

@testable import TTRPC

/// A server on a socket of its own, with a clock that tests move, and what it was called with.
final class ServedSocket {
    let path: String
    let server: Server
    var now = ContinuousClock.now
    private let taken = Taken()

    /// Calls that were taken and not yet answered by the test.
    private final class Taken {
        var calls: [Call] = []
    }

    /// - Parameter handler: nil: calls are kept for the test to answer.
    init(limits: ServerLimits = ServerLimits(), handler: ((Call) -> Void)? = nil) throws {
        path = Self.freshPath()
        let listener = try UnixSocket.listen(at: path)
        if let handler {
            server = try Server(listener: listener, limits: limits, handler: handler)
        } else {
            let taken = self.taken
            server = try Server(listener: listener, limits: limits) { taken.calls.append($0) }
        }
    }

    deinit {
        Self.remove(path)
    }

    static func remove(_ path: String) {
        // The string outlives the call.
        _ = unsafe unlink(path)
    }

    static func freshPath() -> String {
        // Tests run on several threads.
        "/tmp/ttrpc-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    }

    func takeCalls() -> [Call] {
        let calls = taken.calls
        taken.calls = []
        return calls
    }

    /// Works until nothing more happens.
    @discardableResult
    func turn() -> ContinuousClock.Instant? {
        var next: ContinuousClock.Instant?
        for _ in 0..<200 {
            next = server.work(now: now)
            if !isReady { break }
        }
        return next
    }

    /// Whether the server's descriptor asks for work.
    var isReady: Bool { isReadable(server.descriptor) }

    func connect() throws -> RawPeer { try RawPeer(path) }
}

/// Whether `descriptor` is readable at once.
func isReadable(_ descriptor: BorrowedDescriptor) -> Bool {
    do throws(Errno) {
        let outer = try Epoll()
        try outer.add(descriptor, .readable, token: 0)
        return try !outer.wait(milliseconds: 0).isEmpty
    } catch {
        return false
    }
}

/// The other end of a connection, byte by byte.
final class RawPeer {
    let socket: FileDescriptor
    private var reader = FrameReader()
    private(set) var isAtEnd = false

    init(_ path: String) throws {
        socket = try UnixSocket.connect(to: path)
    }

    init(owning socket: consuming FileDescriptor) {
        self.socket = socket
    }

    /// Sends all of `bytes`, or as many as the socket takes.
    @discardableResult
    func send(_ bytes: [UInt8]) throws -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = try Socket.send(bytes, from: sent, on: socket.borrowed)
            if count == 0 { break }
            sent += count
        }
        return sent
    }

    func request(
        _ stream: UInt32, _ method: String = "M", service: String = "S", payload: [UInt8] = [], timeout: Int64 = 0
    ) throws {
        try send(Self.request(stream, method, service: service, payload: payload, timeout: timeout))
    }

    static func request(
        _ stream: UInt32, _ method: String = "M", service: String = "S", payload: [UInt8] = [], timeout: Int64 = 0
    ) -> [UInt8] {
        let request = RPCRequest.with {
            $0.service = service
            $0.method = method
            $0.payload = payload
            $0.timeoutNanoseconds = timeout
        }
        return Frame(stream: stream, .request, request.encoded()).encoded
    }

    /// What has come: streams, and what they were answered with.
    func answers() throws -> [(stream: UInt32, response: RPCResponse)] {
        var answers: [(stream: UInt32, response: RPCResponse)] = []
        for frame in try frames() {
            #expect(frame.header.kind == .response && frame.header.flags == 0)
            answers.append((frame.header.stream, try RPCResponse(decoding: frame.payload)))
        }
        return answers
    }

    func frames() throws -> [Frame] {
        var frames: [Frame] = []
        while !isAtEnd, let bytes = try received() {
            isAtEnd = bytes.isEmpty
            reader.append(bytes)
        }
        while let found = try reader.next() {
            guard case .frame(let frame) = found else {
                Issue.record("a frame above the limit")
                break
            }
            frames.append(frame)
        }
        return frames
    }

    private func received() throws(Errno) -> [UInt8]? {
        do {
            return try Socket.receive(upTo: 65536, from: socket.borrowed)
        } catch {
            // Closed with bytes of ours unread.
            guard error == .connectionReset else { throw error }
            return []
        }
    }

    /// The one answer that has come.
    func answer() throws -> (stream: UInt32, code: StatusCode, payload: [UInt8], message: String) {
        let answers = try answers()
        try #require(answers.count == 1)
        let status = try #require(answers[0].response.status)
        return (answers[0].stream, StatusCode(rawValue: status.code), answers[0].response.payload, status.message)
    }
}
