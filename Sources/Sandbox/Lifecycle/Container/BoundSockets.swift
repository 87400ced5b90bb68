// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import CLinux
import Glibc
import Linux
import Planning
import ProgramArguments
import RuntimeState
import SandboxPlan

/// The sources of a container's bind mounts. What is a socket stays open from the look at what it is: what a guest reaches
/// later is that one, whatever has its name by then.
final class MountSources {
    private var sockets: [String: BorrowedDescriptor] = [:]
    private var opened = DescriptorList()

    /// What is there at `path`.
    func kind(of path: String) throws(Errno) -> BundlePlan.FileKind {
        let file = try FileDescriptor.open(path, .path)
        let status = try FileNode.status(of: file.borrowed)
        switch status.kind {
        case S_IFDIR:
            let kind = try FileNode.fileSystemKind(of: file.borrowed)
            // Of version 1 the hierarchies are mounted in a tmpfs.
            let isOfCgroups = [Int(CGROUP_SUPER_MAGIC), Int(CGROUP2_SUPER_MAGIC)].contains(kind)
            return isOfCgroups || path.cleanedPath == "/sys/fs/cgroup" ? .cgroup : .directory
        case S_IFIFO: return .fifo
        case S_IFSOCK:
            switch try UnixSocket.service(at: file.borrowed.path) {
            // The guest refuses connections to it as the host does.
            case .none: return .other
            case .datagram: return .datagramSocket
            case .sequencedPacket: return .packetSocket
            case .stream:
                if sockets[path] == nil { sockets[path] = opened.append(file) }
                return .socket
            }
        default: return .other
        }
    }

    /// The socket at `path`, which stays owned here.
    func socket(_ path: String) -> BorrowedDescriptor? { sockets[path] }
}

/// What the server of a container's bound sockets is handed.
struct BoundSocketFiles: ~Copyable {
    private(set) var sockets: [SocketServerArguments.Socket] = []
    /// The directory of the machine's vsock; nil where there is nothing to serve.
    private(set) var directory: BorrowedDescriptor?
    private var opened = DescriptorList()
    private let sources: MountSources

    /// Listens for the guest's connections to `bound`, and tells the mounts of `container` where.
    init(
        _ bound: [BoundSocket], _ sources: MountSources, _ files: MachineFiles, _ container: inout ContainerPlan
    ) throws(RuntimeError) {
        self.sources = sources
        if bound.isEmpty { return }
        let place = try wrapping(
            { .launch(program: "fc-proxy", operation: "open vsock", $0) },
            SocketDirectory(path: files.vsockDirectory).descriptor.duplicate())
        directory = opened.append(place)
        for socket in bound {
            guard let target = sources.socket(socket.source) else { throw .share(path: socket.source, .noSuchFile) }
            let made = try wrapping({ .share(path: socket.source, $0) }, PortListener(in: files))
            let status = try wrapping({ .share(path: socket.source, $0) }, FileNode.status(of: target))
            let token = StreamToken.random()
            var served = SocketServerArguments.Socket()
            served.name = made.name
            served.target = target.rawValue
            served.token = token.bytes
            container.mounts[socket.mountIndex].source = .socket(
                HostSocket(
                    port: made.port, token: token.bytes, mode: status.permissions & 0o777, uid: status.uid,
                    gid: status.gid))
            served.listener = opened.append(made.socket).rawValue
            sockets.append(served)
        }
    }

    /// The server's command line, and what it inherits. It serves as long as the process of `process`, a pidfd, lives.
    func command(
        until process: BorrowedDescriptor
    ) throws(ArgumentError) -> (words: [String], descriptors: [BorrowedDescriptor])? {
        guard let directory else { return nil }
        var arguments = SocketServerArguments()
        arguments.directory = directory.rawValue
        arguments.process = process.rawValue
        arguments.sockets = sockets
        let numbers = sockets.flatMap { [$0.listener, $0.target] }
        let descriptors = [directory, process] + numbers.map { BorrowedDescriptor(rawValue: $0) }
        return ([SocketServerArguments.mode] + (try arguments.arguments()), Array(Set(descriptors)))
    }
}

extension Runtime {
    /// Starts what serves `sockets` for as long as the process `proxy`, this one's child, lives; nothing where there are none.
    func startServer(
        of sockets: borrowing BoundSocketFiles, until proxy: Int32, _ record: ContainerRecord
    ) throws(RuntimeError) -> ProcessIdentity? {
        guard !sockets.sockets.isEmpty else { return nil }
        let process = try wrapping(
            { .launch(program: "fc-proxy", operation: "pidfd", $0) }, Process.descriptor(of: proxy))
        let command = try wrapping(
            { .arguments(program: "fc-proxy", $0) }, sockets.command(until: process.borrowed))
        guard let (words, descriptors) = command else { return nil }
        var program = ChildProgram(path: options.parts.program("fc-proxy"), arguments: words)
        program.descriptors = descriptors
        program.hasOwnSession = true
        let cgroups = try CgroupDescriptors(of: record)
        program.cgroups = cgroups.lists.borrowed
        let server = ProcessIdentity(of: try program.start())
        _ = consume process
        _ = consume cgroups
        return server
    }
}
