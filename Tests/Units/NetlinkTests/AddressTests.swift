// SPDX-License-Identifier: Apache-2.0
import Linux
import Netlink
import SandboxPlan
import TestSupport
import Testing

@Suite(.enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.obstacle ?? "")))
struct AddressTests {
    private static var all: [InterfaceAddress] {
        var first = InterfaceAddress(local: prefix("10.1.2.3", 24))
        first.broadcast = ip("10.1.2.255")
        let second = InterfaceAddress(local: prefix("10.1.2.4", 24))
        var point = InterfaceAddress(local: prefix("10.9.0.1", 32))
        point.peer = ip("10.9.0.2")
        var alone = InterfaceAddress(local: prefix("192.0.2.9", 24))
        alone.scope = 253
        alone.hasPrefixRoute = false
        // The kernel has those of smaller scope first.
        return [alone, first, point, second]
    }

    private static var version6: [InterfaceAddress] {
        var point = InterfaceAddress(local: prefix("fd00::1", 128))
        point.peer = ip("fd00::2")
        var alone = InterfaceAddress(local: prefix("2001:db8::5", 64))
        alone.hasPrefixRoute = false
        return [alone, InterfaceAddress(local: prefix("fd01::9", 64)), point]
    }

    @Test("Addresses are added, listed in their order and removed")
    func addressesComeBack() throws {
        let stage = try Stage()
        let index = try stage.pair().a
        // Its own one comes once the pair is up.
        try stage.namespace.ip("addr", "flush", "dev", "a")
        for address in Self.all + Self.version6.reversed() { try stage.routes.add(address, to: index) }
        #expect(try stage.routes.addresses()[index] == Self.all + Self.version6)
        let listed = try stage.list("addr")[2]["addr_info"] as? [[String: Any]] ?? []
        let texts = listed.compactMap { $0["local"] as? String }
        #expect(texts == (Self.all + Self.version6).map { "\($0.local.address)" })
        #expect(listed[1]["broadcast"] as? String == "10.1.2.255")
        #expect(listed[2]["address"] as? String == "10.9.0.2")
        #expect(listed[0]["scope"] as? String == "link" && listed[3]["secondary"] as? Bool == true)
        #expect(listed[4]["nodad"] as? Bool == true && listed[4]["noprefixroute"] as? Bool == true)
        #expect {
            try stage.routes.add(Self.all[0], to: index)
        } throws: { ($0 as? NetlinkError)?.errno == .exists }
        try stage.routes.replace(Self.all[0], of: index)
        // A network's first address takes the others along.
        for address in (Self.all + Self.version6).reversed() { try stage.routes.remove(address, from: index) }
        #expect(try stage.routes.addresses()[index] == nil)
        #expect(throws: NetlinkError.self) { try stage.routes.remove(Self.all[0], from: index) }
    }

    @Test("Where the kernel made no route to an address's network, that is seen")
    func prefixRoutesAreSeen() throws {
        let stage = try Stage()
        let index = try stage.pair().a
        let address = InterfaceAddress(local: prefix("10.1.2.3", 24))
        let sixth = InterfaceAddress(local: prefix("fd01::9", 64))
        for address in [address, sixth] { try stage.routes.add(address, to: index) }
        var routes = try stage.routes.routes(by: stage.routes.links())
        #expect(routes.added.isEmpty)
        #expect(routes.hasKernelRoute(to: address, of: index) && routes.hasKernelRoute(to: sixth, of: index))
        #expect(!routes.hasKernelRoute(to: address, of: index + 1))
        try stage.namespace.ip("route", "del", "10.1.2.0/24")
        try stage.namespace.ip("-6", "route", "del", "fd01::/64")
        routes = try stage.routes.routes(by: stage.routes.links())
        #expect(!routes.hasKernelRoute(to: address, of: index) && !routes.hasKernelRoute(to: sixth, of: index))
    }

    @Test("Permanent neighbours are set, listed and removed; others are left out")
    func neighboursComeBack() throws {
        let stage = try Stage()
        let index = try stage.pair().a
        let fourth = NetworkNeighbour(address: ip("10.1.2.9"), hardwareAddress: [2, 0, 0, 0, 0, 9])
        let sixth = NetworkNeighbour(address: ip("fd00::9"), hardwareAddress: [2, 0, 0, 0, 0, 10])
        for neighbour in [fourth, sixth] { try stage.routes.replace(neighbour, on: index) }
        try stage.namespace.ip("neigh", "add", "10.1.2.10", "lladdr", "02:00:00:00:00:0b", "dev", "a", "nud", "stale")
        #expect(try Set(stage.routes.neighbours()[index] ?? []) == [fourth, sixth])
        let listed = try stage.list("neigh").filter { ($0["state"] as? [String]) == ["PERMANENT"] }
        #expect(Set(listed.compactMap { $0["lladdr"] as? String }) == ["02:00:00:00:00:09", "02:00:00:00:00:0a"])
        let moved = NetworkNeighbour(address: fourth.address, hardwareAddress: [2, 0, 0, 0, 0, 0xc])
        try stage.routes.replace(moved, on: index)
        try stage.routes.remove(sixth, from: index)
        #expect(try stage.routes.neighbours()[index] == [moved])
    }

    @Test("Addresses are written as RFC 5952 has them")
    func addressesAreWritten() {
        for text in [
            "10.0.0.255", "::", "::1", "fe80::1", "2001:db8:0:1:1:1:1:1", "2001:db8::1:0:0:1", "1::", "fd00::2:0:1:2:3",
        ] {
            #expect(ip(text).description == text)
        }
        #expect(prefix("fd00::ffff", 121).network.description == "fd00::ff80/121")
        #expect(prefix("10.255.255.255", 9).network.description == "10.128.0.0/9")
        #expect(prefix("10.1.1.1", 0).network.description == "0.0.0.0/0")
    }
}
