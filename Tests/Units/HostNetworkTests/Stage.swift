// SPDX-License-Identifier: Apache-2.0
import HostNetwork
import Linux
import Netlink
import SandboxPlan
import TestSupport
import Testing

/// A namespace such as a client makes: `eth0`, whose other end is `peer` in the same namespace.
struct Stage {
    let namespace: TestNamespace
    let routes: RouteSocket

    init(mtu: Int = 1500) throws {
        namespace = try TestNamespace()
        let number = try namespace.inside { () throws(Errno) in try NetlinkSocket.openRoute().release() }
        routes = RouteSocket(FileDescriptor(owning: number))
        try namespace.ip(
            "link", "add", "name", "eth0", "mtu", "\(mtu)", "address", "02:00:00:00:00:01", "type", "veth", "peer",
            "name",
            "peer", "mtu", "\(mtu)", "address", "02:00:00:00:00:02")
        for name in ["lo", "eth0", "peer"] { try namespace.ip("link", "set", "dev", name, "up") }
    }

    func index(_ name: String) throws -> UInt32 { try #require(try routes.link(named: name)).index }

    func capture(limit: Int = 8) throws -> NetworkPlan {
        try HostNetwork.capture(namespace.file.borrowed, limit: limit)
    }

    /// Joined to a tap with a header of twelve bytes, as a machine's device has it.
    func connect(_ names: String...) throws -> [ConnectedInterface] {
        let interfaces = try names.map { name in try #require(try capture().interfaces.first { $0.name == name }) }
        let connected = try HostNetwork.connect(interfaces, in: namespace.file.borrowed)
        for connection in connected {
            try TapInterface.setHeader(byteCount: 12, of: connection.tap.borrowed)
        }
        return connected
    }

    func disconnect(_ names: String...) throws {
        try HostNetwork.disconnect(names, in: namespace.file.borrowed)
    }

    /// The namespace's interfaces, and what tc says of queues and filters.
    func state() throws -> String {
        let links = try routes.links().map { "\($0.index) \($0.name) \($0.mtu) \($0.isUp)" }
        return try namespace.tc("qdisc", "show") + namespace.tc("filter", "show", "dev", "eth0", "ingress")
            + links.joined(separator: "\n")
    }

    /// Whether the namespace comes to `expected`: a program that another test is starting may have a tap open yet.
    func comes(to expected: String) throws -> Bool {
        let deadline = Deadline(after: .seconds(10))
        while !deadline.hasPassed {
            if try state() == expected { return true }
            SystemTime.sleep(milliseconds: 10)
        }
        Issue.record("\(expected) became \(try state())")
        return false
    }

    /// A frame from the station `from` to the station `to`, of a type that nobody speaks, or of another.
    static func frame(_ count: Int, from: UInt8, to: UInt8, type: [UInt8] = [0x88, 0xb5]) -> [UInt8] {
        [2, 0, 0, 0, 0, to, 2, 0, 0, 0, 0, from] + type + (0..<count - 14).map { UInt8(truncatingIfNeeded: $0 &* 3) }
    }

    /// The next frame with the type of `expected`, without the first `header` bytes.
    static func receive(_ file: borrowing FileDescriptor, like expected: [UInt8], header: Int = 0) throws -> [UInt8] {
        while true {
            let events = try Poll.wait(file.borrowed, .readable, until: Deadline(after: .seconds(5)))
            try #require(!events.isEmpty, "no frame came")
            let frame = Array(try file.read(upTo: 70000).dropFirst(header))
            if frame.count >= 14, frame[6..<14] == expected[6..<14] { return frame }
        }
    }
}

/// An address as it is written, of version 4.
func prefix(_ bytes: UInt8..., length: UInt8) -> IPPrefix { IPPrefix(IPAddress(bytes)!, length: length)! }

/// fd00::/16 and a last byte.
func sixth(_ last: UInt8) -> IPAddress { IPAddress([0xfd] + [UInt8](repeating: 0, count: 14) + [last])! }
