// SPDX-License-Identifier: Apache-2.0
public import AgentProtocol
public import Linux
import Protobuf
import SandboxPlan

/// Stream connections to the guest.
public enum GuestStream {
    /// Connects to the agent's stream port and registers `token`, which Create or Exec may name from then on.
    ///
    /// - Returns: the stream, blocking: what is read is the process's output, what is written its input, and
    ///   shutting down one direction ends it.
    public static func open(
        _ token: StreamToken, socketPath: String, deadline: Deadline
    ) throws(AgentClientError) -> FileDescriptor {
        let socket = try GuestSocket.connect(to: socketPath, port: GuestConvention.streamPort, deadline: deadline)
        try greet(token, on: socket.borrowed, deadline: deadline)
        return socket
    }

    /// Registers `token` on a connection to the stream port.
    public static func greet(
        _ token: StreamToken, on socket: BorrowedDescriptor, deadline: Deadline
    ) throws(AgentClientError) {
        do {
            try GuestSocket.send(try StreamHandshake.hello(token), on: socket, "open stream", deadline)
        } catch let error as AgentClientError {
            throw error
        } catch let error as MessageError {
            throw .malformed(error)
        } catch {
            throw .closed(operation: "open stream")
        }
        var reply: [UInt8] = []
        // No more than the frame: the stream's own bytes follow.
        while reply.count < StreamHandshake.welcome.count {
            let bytes = try GuestSocket.receive(
                upTo: StreamHandshake.welcome.count - reply.count, from: socket, "open stream", deadline)
            if bytes.isEmpty { throw .closed(operation: "open stream") }
            reply += bytes
        }
        guard reply == StreamHandshake.welcome else { throw .unexpectedAnswer(operation: "open stream") }
    }
}
