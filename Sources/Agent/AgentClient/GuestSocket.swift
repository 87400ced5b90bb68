// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
public import Linux

/// Connections to ports of the guest, over the unix socket of its vsock device: `CONNECT port\n` is
/// answered by `OK …\n`, then the connection is the guest's.
public enum GuestSocket {
    /// The most bytes the answer to CONNECT may have.
    static let replyLimit = 64

    /// A connection to `port`, in blocking mode.
    public static func connect(
        to path: String, port: UInt32, deadline: Deadline
    ) throws(AgentClientError) -> FileDescriptor {
        let socket: FileDescriptor
        do {
            socket = try UnixSocket.connect(to: path)
        } catch {
            throw .connect(path: path, error)
        }
        try shakeHands(on: socket.borrowed, port: port, deadline: deadline)
        return socket
    }

    /// Asks for `port` on a fresh connection to the vsock device.
    static func shakeHands(on socket: BorrowedDescriptor, port: UInt32, deadline: Deadline) throws(AgentClientError) {
        try send(Array("CONNECT \(port)\n".utf8), on: socket, "connect", deadline)
        var reply: [UInt8] = []
        // Byte by byte: what comes after the line is not ours to take.
        while reply.count < replyLimit {
            guard let byte = try receive(upTo: 1, from: socket, "connect", deadline).first else { break }
            if byte == UInt8(ascii: "\n") {
                guard reply.starts(with: Array("OK ".utf8)) else { break }
                return
            }
            reply.append(byte)
        }
        throw .refused(port: port, reply: String(decoding: reply.filter { $0 >= 0x20 && $0 < 0x7f }, as: UTF8.self))
    }

    /// Sends all of `bytes`.
    static func send(
        _ bytes: [UInt8], on socket: BorrowedDescriptor, _ operation: String, _ deadline: Deadline?
    ) throws(AgentClientError) {
        var start = 0
        while start < bytes.count {
            if let deadline, deadline.hasPassed { throw .timedOut(operation: operation) }
            do {
                guard try !Poll.wait(socket, .writable, until: deadline).isEmpty else {
                    throw AgentClientError.timedOut(operation: operation)
                }
                start += try Socket.send(bytes, from: start, on: socket)
            } catch let error as AgentClientError {
                throw error
            } catch let error as Errno {
                throw failure(error, operation)
            } catch {
                throw .closed(operation: operation)
            }
        }
    }

    /// At least one byte and at most `limit`; none at the end of the stream.
    static func receive(
        upTo limit: Int, from socket: BorrowedDescriptor, _ operation: String, _ deadline: Deadline?
    ) throws(AgentClientError) -> [UInt8] {
        do {
            while true {
                if let deadline, deadline.hasPassed { throw AgentClientError.timedOut(operation: operation) }
                guard try !Poll.wait(socket, .readable, until: deadline).isEmpty else {
                    throw AgentClientError.timedOut(operation: operation)
                }
                if let bytes = try Socket.receive(upTo: limit, from: socket) { return bytes }
            }
        } catch let error as AgentClientError {
            throw error
        } catch let error as Errno {
            throw failure(error, operation)
        } catch {
            throw .closed(operation: operation)
        }
    }

    static func failure(_ error: Errno, _ operation: String) -> AgentClientError {
        error == .connectionReset || error == .brokenPipe
            ? .closed(operation: operation) : .transport(operation: operation, error)
    }
}
