// SPDX-License-Identifier: Apache-2.0
import Foundation
import Linux
import Netlink
import SandboxPlan
import TestSupport
import Testing

@testable import HostNetwork

@Suite(.enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.obstacle ?? "")))
struct CaptureTests {
    @Test("A namespace's interfaces, addresses, routes, rules and permanent neighbours are read")
    func aNetworkIsRead() throws {
        let stage = try Stage(mtu: 1400)
        try stage.namespace.ip("link", "del", "dev", "eth0")
        try stage.namespace.ip(
            "link", "add", "name", "eth0", "mtu", "1400", "address", "02:00:00:00:00:01", "type", "bridge")
        try stage.namespace.ip("link", "set", "dev", "eth0", "up")
        try stage.namespace.ip("addr", "flush", "dev", "eth0")
        try stage.namespace.ip("addr", "add", "10.88.0.5/16", "brd", "+", "dev", "eth0")
        try stage.namespace.ip("addr", "add", "fd00::5/64", "dev", "eth0", "nodad")
        try stage.namespace.ip("route", "add", "default", "via", "10.88.0.1", "dev", "eth0")
        try stage.namespace.ip("-6", "route", "add", "default", "via", "fd00::1", "dev", "eth0", "metric", "9")
        try stage.namespace.ip("rule", "add", "priority", "100", "from", "10.88.0.5", "table", "100")
        try stage.namespace.ip("route", "add", "10.99.0.0/16", "dev", "eth0", "scope", "link", "table", "100")
        try stage.namespace.ip(
            "neigh", "add", "10.88.0.1", "lladdr", "02:00:00:00:00:09", "dev", "eth0", "nud", "permanent")
        var interface = NetworkInterface(slot: 0, name: "eth0", hardwareAddress: [2, 0, 0, 0, 0, 1], mtu: 1400)
        var address = InterfaceAddress(local: prefix(10, 88, 0, 5, length: 16))
        address.broadcast = IPAddress([10, 88, 255, 255])
        interface.addresses = [address, InterfaceAddress(local: IPPrefix(sixth(5), length: 64)!)]
        interface.neighbours = [
            NetworkNeighbour(address: IPAddress([10, 88, 0, 1])!, hardwareAddress: [2, 0, 0, 0, 0, 9])
        ]
        var rule = RoutingRule(isVersion6: false, priority: 100, table: 100)
        rule.source = prefix(10, 88, 0, 5, length: 32)
        var other = NetworkRoute(destination: prefix(10, 99, 0, 0, length: 16), interface: "eth0")
        (other.scope, other.table) = (253, 100)
        var everywhere = NetworkRoute(
            destination: IPPrefix(IPAddress([UInt8](repeating: 0, count: 16))!, length: 0)!, gateway: sixth(1),
            interface: "eth0")
        everywhere.priority = 9
        let plan = try stage.capture()
        #expect(plan.interfaces == [interface])
        #expect(plan.rules == [rule])
        #expect(plan.routes.first == other)
        #expect(
            Set(plan.routes) == [
                other, everywhere,
                NetworkRoute(
                    destination: prefix(0, 0, 0, 0, length: 0), gateway: IPAddress([10, 88, 0, 1]), interface: "eth0"),
            ])
    }

    @Test("An address whose network the kernel has no route to is told from one that it has")
    func takenRoutesAreSeen() throws {
        let stage = try Stage()
        // As CNI's ptp plugin leaves it.
        try stage.namespace.ip("addr", "add", "10.1.1.2/24", "dev", "eth0")
        try stage.namespace.ip("route", "del", "10.1.1.0/24")
        try stage.namespace.ip("route", "add", "10.1.1.1", "dev", "eth0", "scope", "link", "src", "10.1.1.2")
        try stage.namespace.ip("route", "add", "10.1.1.0/24", "via", "10.1.1.1", "dev", "eth0", "src", "10.1.1.2")
        try stage.namespace.ip("addr", "add", "10.2.2.2/24", "dev", "eth0")
        let plan = try stage.capture()
        let addresses = plan.interfaces[1].addresses.filter { !$0.local.address.isVersion6 }
        #expect(addresses.map(\.hasPrefixRoute) == [false, true])
        #expect(plan.routes.map { "\($0.destination)" } == ["10.1.1.1/32", "10.1.1.0/24"])
        try stage.namespace.ip("link", "set", "dev", "eth0", "down")
        let down = try stage.capture().interfaces[1]
        #expect(!down.isUp && down.addresses.allSatisfy(\.hasPrefixRoute))
    }

    @Test("An empty namespace is an empty network, and the caller stays in its own namespace")
    func nothingIsNothing() throws {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
        let namespace = try TestNamespace()
        #expect(try HostNetwork.capture(namespace.file.borrowed, limit: 8) == NetworkPlan())
        #expect(try HostNetwork.connect([], in: namespace.file.borrowed).isEmpty)
        for file in ["/proc/self/ns/net", "/proc/thread-self/ns/net"] {
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: file) == own)
        }
    }

    @Test("What is no namespace of a network is refused")
    func noNamespace() throws {
        let file = try FileDescriptor.open("/proc/self/ns/uts")
        #expect(
            throws: HostNetworkError.namespace(operation: "enter the network namespace", .invalidArgument)
        ) { _ = try HostNetwork.capture(file.borrowed, limit: 8) }
    }

    @Test("Interfaces that cannot be carried are refused by their names")
    func strangersAreRefused() throws {
        let stage = try Stage()
        try stage.namespace.ip("tuntap", "add", "dev", "t0", "mode", "tun")
        #expect(throws: HostNetworkError.notEthernet(interface: "t0", kind: "tun")) { _ = try stage.capture() }
        try stage.namespace.ip("link", "del", "dev", "t0")
        try stage.namespace.ip("link", "set", "dev", "eth0", "mtu", "65535")
        #expect(throws: HostNetworkError.mtu(interface: "eth0", 65535)) { _ = try stage.capture() }
        try stage.namespace.ip("link", "set", "dev", "eth0", "mtu", "1500")
        #expect(throws: HostNetworkError.tooMany(count: 2, limit: 1)) { _ = try stage.capture(limit: 1) }
        try stage.namespace.ip("addr", "add", "10.1.1.2/24", "dev", "eth0")
        try stage.namespace.ip(
            "route", "add", "10.7.0.0/16", "nexthop", "via", "10.1.1.3", "nexthop", "via", "10.1.1.4")
        #expect(
            throws: HostNetworkError.network(
                .unsupported(what: "route to 10.7.0.0/16", property: "more than one way"))
        ) { _ = try stage.capture() }
    }

    @Test("A persistent tap of somebody else's is carried, and one of ours is left out")
    func tapsAreToldApart() throws {
        let stage = try Stage()
        try stage.namespace.ip("tuntap", "add", "dev", "tap0", "mode", "tap")
        try stage.namespace.ip("tuntap", "add", "dev", "fc-tap7", "mode", "tap")
        #expect(try Set(stage.capture().interfaces.map(\.name)) == ["eth0", "peer", "tap0"])
    }

    @Test("A name that is no UTF-8, an MTU that no Ethernet has and the address of a group are refused")
    func strangeInterfaces() throws {
        // struct nlmsghdr, struct ifinfomsg; IFLA_IFNAME, IFLA_ADDRESS, IFLA_MTU.
        func message(_ name: [UInt8], firstByte: UInt8 = 2, mtu: UInt8 = 68) -> [UInt8] {
            [68, 0, 0, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
                + [0, 0, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
                + [10, 0, 1, 0, firstByte, 0, 0, 0, 0, 0, 0, 0, 8, 0, 4, 0, mtu, 0, 0, 0]
                + [16, 0, 3, 0] + name + [UInt8](repeating: 0, count: 12 - name.count)
        }
        func obstacle(_ message: [UInt8]) throws -> HostNetworkError? {
            HostNetwork.obstacle(to: try #require(try NetlinkAnswer.links(in: message, to: 1).first))
        }
        let name = Array("é-+.@x".utf8)
        #expect(try obstacle(message(name)) == nil)
        #expect(try obstacle(message([0x65, 0xff, 0xc3])) == .name("e\u{fffd}\u{fffd}"))
        #expect(try obstacle(message(name, mtu: 10)) == .mtu(interface: "é-+.@x", 10))
        for byte: UInt8 in [0, 1] {
            let address = [byte, 0, 0, 0, 0, 0]
            #expect(
                try obstacle(message(name, firstByte: byte)) == .hardwareAddress(interface: "é-+.@x", address))
        }
    }
}
