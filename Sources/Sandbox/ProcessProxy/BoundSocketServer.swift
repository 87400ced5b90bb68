// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import ProgramArguments

/// The host's end of the sockets that a container has bound, for as long as the process that stands for the container lives.
///
/// A socket is known by a descriptor from before the container was made, so that no name is looked up when a guest asks. Its
/// server sees the user that the guest names, whose process it says has connected; and of this process's pid.
enum BoundSocketServer {
    /// The program.
    static func main(_ words: [String]) -> Never {
        do {
            let arguments = try SocketServerArguments(parsing: words)
            _ = try DescriptorLimit.raise()
            // A server that asks for the peer's groups is not told of the caller's.
            try Process.setSupplementaryGroups([])
            try Process.setNoNewPrivileges()
            let server = try SocketServer(
                arguments.sockets.map(port), until: BorrowedDescriptor(rawValue: arguments.process))
            let directory = BorrowedDescriptor(rawValue: arguments.directory)
            try server.serve {
                for socket in arguments.sockets {
                    try? Directory.remove(socket.name, at: directory, isDirectory: false)
                }
            }
        } catch {
            try? BorrowedDescriptor.standardError.writeAll(Array("fc-proxy: sockets: \(error)\n".utf8))
            Process.exitNow(1)
        }
        Process.exitNow(0)
    }

    private static func port(_ socket: SocketServerArguments.Socket) -> SocketServer.Port {
        let target = BorrowedDescriptor(rawValue: socket.target)
        return SocketServer.Port(listener: BorrowedDescriptor(rawValue: socket.listener), token: socket.token) {
            greeting throws(Errno) in
            var made: FileDescriptor?
            try Process.acting(uid: greeting.uid, gid: greeting.gid) { () throws(Errno) in
                made = try UnixSocket.connect(to: target.path, nonBlocking: true)
            }
            guard let server = made.take() else { throw .connectionRefused }
            return server
        }
    }
}
