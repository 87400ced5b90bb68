// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// A vsock port of the host's, at which connections of a machine's guest come in: one that nothing had.
struct PortListener: ~Copyable {
    let port: UInt32
    /// In the machine's vsock directory.
    let name: String
    /// It listens, and does not block.
    let socket: FileDescriptor

    /// A port is free unless a hundred million are taken.
    private static let attempts = 8
    private static let ports: ClosedRange<UInt32> = 0x1000_0000...0x7fff_ffff

    init(in files: MachineFiles) throws(Errno) {
        let directory = try SocketDirectory(path: files.vsockDirectory)
        for _ in 0..<Self.attempts {
            let port = UInt32.random(in: Self.ports)
            let name = MachineFiles.socketName(ofPort: port)
            do {
                socket = try UnixSocket.listen(at: directory.path(of: name), nonBlocking: true)
                self.port = port
                self.name = name
                return
            } catch  where error == Errno(rawValue: EADDRINUSE) {}
        }
        throw Errno(rawValue: EADDRINUSE)
    }
}
