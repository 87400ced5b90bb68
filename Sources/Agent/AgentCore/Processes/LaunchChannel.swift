// SPDX-License-Identifier: Apache-2.0
import Linux

/// What a process says to the agent before it becomes another program, one packet each.
enum LaunchMessage {
    /// Everything is made; with a terminal its master comes along. A container's first process now waits.
    case ready
    case failed(LaunchFailure)

    /// The most bytes a packet has.
    static let limit = 4096

    var bytes: [UInt8] {
        switch self {
        case .ready: return [0]
        case .failed(let failure):
            var bytes: [UInt8] = [1, failure.stage.rawValue]
            for shift in stride(from: 0, to: 32, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: failure.errno >> Int32(shift)))
            }
            return bytes + failure.message.utf8.prefix(Self.limit - bytes.count)
        }
    }

    /// nil for what no honest child sends.
    init?(_ bytes: [UInt8]) {
        switch bytes.first {
        case 0 where bytes.count == 1: self = .ready
        case 1 where bytes.count >= 6:
            guard let stage = LaunchStage(rawValue: bytes[1]) else { return nil }
            let errno = bytes[2..<6].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let message = String(decoding: bytes[6...].filter { $0 != 0 }, as: UTF8.self)
            self = .failed(LaunchFailure(stage, message, errno: Int32(bitPattern: errno)))
        default: return nil
        }
    }
}

/// The agent's end of the socket on which a process reports before it becomes its program, which closes the other.
final class LaunchChannel {
    /// What a look at the channel brought.
    enum Received: ~Copyable {
        case nothingYet
        /// nil for what no honest child sends. The master of the process's terminal comes with ``LaunchMessage/ready``.
        case message(LaunchMessage?, terminal: FileDescriptor?)
        /// The process has closed its end, or has gone.
        case closed
        case failed(Errno)
    }

    private let loop: EventLoop
    /// nil once it was closed.
    private var socket: FileDescriptor?
    private var watch: EventLoop.Watch?

    init(_ loop: EventLoop, _ socket: consuming FileDescriptor) throws(Errno) {
        self.loop = loop
        try socket.setNonBlocking(true)
        self.socket = consume socket
    }

    /// Calls `action` whenever ``receive()`` has something to bring.
    func begin(_ action: @escaping () -> Void) throws(Errno) {
        guard let socket = socket?.borrowed else { return }
        watch = try loop.watch(socket, .readable) { _ in action() }
    }

    /// The next packet.
    func receive() -> Received {
        guard let socket = socket?.borrowed else { return .nothingYet }
        do throws(Errno) {
            var descriptors = DescriptorList()
            let bytes = try DescriptorPassing.receive(
                upTo: LaunchMessage.limit, maximum: 1, descriptors: &descriptors, from: socket)
            if bytes.isEmpty { return .closed }
            return .message(LaunchMessage(bytes), terminal: descriptors.takeFirst())
        } catch {
            return error == .wouldBlock ? .nothingYet : .failed(error)
        }
    }

    /// Lets a created process go on.
    ///
    /// - Throws: `EBADF` where the channel was closed.
    func sendStart() throws(Errno) {
        guard let socket = socket?.borrowed else { throw .badFileDescriptor }
        try DescriptorPassing.send([1], [], on: socket)
    }

    func close() {
        if let watch { loop.ignore(watch) }
        watch = nil
        socket = nil
    }
}
