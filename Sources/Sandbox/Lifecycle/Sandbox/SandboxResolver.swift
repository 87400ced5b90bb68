// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import HostNetwork
import Linux
import ProgramArguments
import RuntimeState

/// The resolver that a client keeps in a sandbox's network namespace on the host, which the containers' resolv.conf(5) names:
/// docker's daemon does for networks that a user has made. In the machine nobody would hear who asks it.
struct SandboxResolver {
    /// What serves it.
    let server: ProcessIdentity
    let port: UInt32
    let token: StreamToken

    /// More sockets than this are not looked through.
    private static let listLimit = 1 << 20

    /// Whether there is one in the network namespace of the process `pid`: a socket for datagrams to 127.0.0.11.
    static func isThere(inNamespaceOf pid: Int32) -> Bool {
        // proc(5): one line a socket. Not read to its end where there is more, and then there is none.
        guard let file = try? FileDescriptor.open("/proc/\(pid)/net/udp"),
            let list = try? file.readAll(limit: listLimit)
        else { return false }
        return isThere(in: list)
    }

    /// - Parameter list: as /proc/net/udp has it.
    static func isThere(in list: [UInt8]) -> Bool {
        // The address is written as the number that the processor takes it for.
        let address = UInt32(0x7f00_000b).bigEndian
        let digits = String(address, radix: 16, uppercase: true)
        let local = Array((String(repeating: "0", count: 8 - digits.utf8.count) + digits + ":").utf8)
        return list.split(separator: UInt8(ascii: "\n")).dropFirst().contains { line in
            let fields = line.split(separator: UInt8(ascii: " "))
            return fields.count > 1 && fields[1].starts(with: local)
        }
    }

    /// Starts what serves it for as long as the machine lives.
    ///
    /// - Parameter namespace: the network namespace that it is in.
    init(
        _ namespace: BorrowedDescriptor, of machine: borrowing Machine, _ record: ContainerRecord, parts: Parts
    ) throws(RuntimeError) {
        func failure(_ operation: String) -> (Errno) -> RuntimeError {
            { .launch(program: "fc-proxy", operation: operation, $0) }
        }
        guard let process = machine.supervisor.open() else { throw .sandboxGone(machine.id) }
        let listener = try wrapping(failure("listen"), PortListener(in: machine.files))
        let token = StreamToken.random()
        var arguments = ResolverServerArguments()
        arguments.network = namespace.rawValue
        arguments.process = process.rawValue
        arguments.listener = listener.socket.rawValue
        arguments.token = token.bytes
        let words = try wrapping({ .arguments(program: "fc-proxy", $0) }, arguments.arguments())
        var program = ChildProgram(
            path: parts.program("fc-proxy"), arguments: [ResolverServerArguments.mode] + words)
        program.descriptors = [namespace, process.borrowed, listener.socket.borrowed]
        program.hasOwnSession = true
        let cgroups = try CgroupDescriptors(of: record)
        program.cgroups = cgroups.lists.borrowed
        let pid = try program.start()
        _ = consume cgroups
        _ = consume process
        server = ProcessIdentity(of: pid) ?? ProcessIdentity(pid: pid, startTime: 0)
        port = listener.port
        self.token = token
    }
}

extension Launch {
    /// Has the guest ask the resolver of a new sandbox's network namespace, where there is one.
    ///
    /// - Parameter connection: to the agent.
    func offerResolver(
        of standIn: borrowing StandIn, _ machine: borrowing Machine, _ connection: AgentConnection,
        _ container: inout LockedContainer
    ) throws(RuntimeError) {
        guard case .new = sandbox, SandboxResolver.isThere(inNamespaceOf: standIn.holder.pid) else { return }
        let namespace = try standIn.network()
        let resolver = try SandboxResolver(
            namespace.borrowed, of: machine, container.record, parts: runtime.options.parts)
        let names = container.record.machine?.network?.plan.interfaces.map(\.name) ?? []
        do throws(HostNetworkError) {
            try HostNetwork.letResolverAsk(by: names, in: namespace.borrowed)
        } catch {
            runtime.log(.warning, "the names of others cannot be resolved: \(error)")
        }
        // Open until the server has it.
        _ = consume namespace
        let server = resolver.server
        try wrapping(RuntimeError.state, container.update { $0.resolverServer = server })
        try connection.ask(.resolver(port: resolver.port, token: resolver.token))
    }
}
