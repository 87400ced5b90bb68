// SPDX-License-Identifier: Apache-2.0
import Linux
import ProgramArguments
import SandboxPlan

/// The host's end of the guest's resolver: what the guest asks goes to the one that a client keeps in the sandbox's network
/// namespace, by TCP, for as long as the machine lives. The process is in that namespace, and is nobody.
enum ResolverServer {
    /// Where docker's daemon is found: its rules in the namespace lead from there to the port that it has.
    private static let address = InternetSocket.Address(host: 0x7f00_000b, port: 53)
    /// The user and group that own nothing.
    private static let nobody: UInt32 = 65534

    /// The program.
    static func main(_ words: [String]) -> Never {
        do {
            let arguments = try ResolverServerArguments(parsing: words)
            _ = try DescriptorLimit.raise()
            try enter(FileDescriptor(owning: arguments.network))
            setPorts()
            try dropPrivileges()
            let port = SocketServer.Port(
                listener: BorrowedDescriptor(rawValue: arguments.listener), token: arguments.token
            ) { _ throws(Errno) in try InternetSocket.beginConnecting(to: address) }
            let server = try SocketServer([port], until: BorrowedDescriptor(rawValue: arguments.process))
            try server.serve()
        } catch {
            try? BorrowedDescriptor.standardError.writeAll(Array("fc-proxy: resolver: \(error)\n".utf8))
            Process.exitNow(1)
        }
        Process.exitNow(0)
    }

    private static func enter(_ namespace: consuming FileDescriptor) throws(Errno) {
        try Process.enter(namespace.borrowed, .network)
    }

    /// Has the resolver ask others from those ports whose answers reach the namespace. Where that cannot be, the names that it
    /// knows itself are found all the same.
    private static func setPorts() {
        let ports = ResolverPlan.askingPorts
        let settings = [
            ("ip_local_port_range", "\(ports.lowerBound) \(ports.upperBound)"),
            // A port is free again as soon as that is safe: there are not many.
            ("tcp_tw_reuse", "1"),
        ]
        for (name, value) in settings {
            try? FileDescriptor.open("/proc/sys/net/ipv4/\(name)", .writeOnly).writeAll(Array(value.utf8))
        }
    }

    private static func dropPrivileges() throws(Errno) {
        try Process.setSupplementaryGroups([])
        try Process.setNoNewPrivileges()
        try Process.setGroup(nobody)
        let none = CapabilitySets(bounding: 0, effective: 0, permitted: 0, inheritable: 0, ambient: 0)
        try none.applyBounding()
        try Process.setUser(nobody, keepsCapabilities: false)
        try none.apply()
    }
}
