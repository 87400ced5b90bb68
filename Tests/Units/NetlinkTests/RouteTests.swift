// SPDX-License-Identifier: Apache-2.0
import Linux
import Netlink
import SandboxPlan
import TestSupport
import Testing

@Suite(.enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.obstacle ?? "")))
struct RouteTests {
    private static var all: [NetworkRoute] {
        var near = NetworkRoute(destination: prefix("10.2.0.1", 32), interface: "a")
        near.scope = 253
        near.source = ip("10.1.2.3")
        near.protocolNumber = 4
        var limited = NetworkRoute(destination: prefix("10.3.0.0", 16), interface: "a")
        limited.scope = 253
        limited.mtu = 1300
        limited.priority = 77
        var black = NetworkRoute(destination: prefix("10.4.0.0", 16), interface: "")
        black.type = 6
        var unreachable = NetworkRoute(destination: prefix("fd04::", 32), interface: "")
        unreachable.type = 7
        unreachable.priority = 1024
        var other = NetworkRoute(destination: prefix("0.0.0.0", 0), gateway: ip("10.2.0.1"), interface: "a")
        other.table = 1000
        var onLink = NetworkRoute(destination: prefix("10.5.0.0", 16), gateway: ip("169.254.1.1"), interface: "a")
        onLink.isOnLink = true
        var sixth = NetworkRoute(destination: prefix("::", 0), gateway: ip("fd00::1"), interface: "a")
        sixth.priority = 5
        return [
            near, limited, black, unreachable, other, onLink, sixth,
            NetworkRoute(destination: prefix("0.0.0.0", 0), gateway: ip("10.2.0.1"), interface: "a"),
            NetworkRoute(destination: prefix("10.6.0.0", 16), gateway: ip("fd00::1"), interface: "a"),
        ]
    }

    @Test("Routes are added, listed as they can be added, and removed")
    func routesComeBack() throws {
        let stage = try Stage()
        let index = try stage.pair().a
        try stage.routes.add(InterfaceAddress(local: prefix("10.1.2.3", 24)), to: index)
        try stage.routes.add(InterfaceAddress(local: prefix("fd00::2", 64)), to: index)
        func by(_ route: NetworkRoute) -> UInt32? { route.interface.isEmpty ? nil : index }
        for route in Self.all { try stage.routes.add(route, by: by(route)) }
        let listed = try stage.routes.routes(by: stage.routes.links()).added
        #expect(Set(listed) == Set(Self.all))
        let gateways = listed.map { $0.gateway != nil }
        #expect(gateways == gateways.sorted { !$0 && $1 })
        for route in Self.all.reversed() { try stage.routes.remove(route, by: by(route)) }
        #expect(try stage.routes.routes(by: stage.routes.links()).added.isEmpty)
        // In the order in which they were listed.
        for route in listed { try stage.routes.add(route, by: by(route)) }
        #expect(try stage.routes.routes(by: stage.routes.links()).added == listed)
        #expect {
            try stage.routes.add(listed[0], by: by(listed[0]))
        } throws: { ($0 as? NetlinkError)?.errno == .exists }
        for route in listed { try stage.routes.replace(route, by: by(route)) }
        #expect(try Set(stage.routes.routes(by: stage.routes.links()).added) == Set(listed))
    }

    @Test("A route is written as ip reads it")
    func routesAreAsIPHasThem() throws {
        let stage = try Stage()
        let index = try stage.pair().a
        try stage.routes.add(InterfaceAddress(local: prefix("10.1.2.3", 24)), to: index)
        for route in Self.all.prefix(3) { try stage.routes.add(route, by: route.interface.isEmpty ? nil : index) }
        let listed = try stage.list("-4", "route")
        let near = try #require(listed.first { $0["dst"] as? String == "10.2.0.1" })
        #expect(near["dev"] as? String == "a" && near["prefsrc"] as? String == "10.1.2.3")
        #expect(near["protocol"] as? String == "static" && near["scope"] as? String == "link")
        let limited = try #require(listed.first { $0["dst"] as? String == "10.3.0.0/16" })
        #expect(limited["metric"] as? Int == 77)
        #expect((limited["metrics"] as? [[String: Any]])?.first?["mtu"] as? Int == 1300)
        #expect(listed.contains { $0["type"] as? String == "blackhole" })
    }

    @Test("A route that a plan has no word for is refused by its name")
    func strangeRoutesAreRefused() throws {
        let stage = try Stage()
        let index = try stage.pair().a
        try stage.routes.add(InterfaceAddress(local: prefix("10.1.2.3", 24)), to: index)
        try stage.namespace.ip(
            "route", "add", "10.7.0.0/16", "nexthop", "via", "10.1.2.1", "nexthop", "via", "10.1.2.2")
        #expect(throws: NetlinkError.unsupported(what: "route to 10.7.0.0/16", property: "more than one way")) {
            _ = try stage.routes.routes(by: stage.routes.links())
        }
        try stage.namespace.ip("route", "del", "10.7.0.0/16")
        #expect(try stage.routes.routes(by: stage.routes.links()).added.isEmpty)
    }

    @Test("A thousand routes are listed")
    func manyRoutes() throws {
        let stage = try Stage()
        let index = try stage.pair().a
        for number in 0..<1000 {
            var route = NetworkRoute(destination: prefix("10.\(number / 256).\(number % 256).0", 24), interface: "a")
            route.scope = 253
            try stage.routes.add(route, by: index)
        }
        #expect(try stage.routes.routes(by: stage.routes.links()).added.count == 1000)
    }

    @Test("Rules are added, listed without those of every namespace, and removed")
    func rulesComeBack() throws {
        let stage = try Stage()
        _ = try stage.pair()
        var source = RoutingRule(isVersion6: false, priority: 100, table: 1000)
        source.source = prefix("10.1.2.0", 24)
        source.inputInterface = "a"
        var mark = RoutingRule(isVersion6: false, priority: 200, table: 70000)
        mark.mark = 0x10
        mark.mask = 0xf0
        mark.destination = prefix("10.9.0.0", 16)
        mark.outputInterface = "b"
        var sixth = RoutingRule(isVersion6: true, priority: 300, table: 5)
        sixth.source = prefix("fd00::", 8)
        let all = [source, mark, sixth]
        #expect(try stage.routes.rules().isEmpty)
        for rule in all { try stage.routes.add(rule) }
        #expect(try stage.routes.rules() == all)
        let listed = try stage.list("rule").filter { [100, 200].contains($0["priority"] as? Int) }
        #expect(listed.map { $0["table"] as? String } == ["1000", "70000"])
        #expect(listed[0]["src"] as? String == "10.1.2.0" && listed[0]["iif"] as? String == "a")
        #expect(listed[1]["fwmark"] as? String == "0x10" && listed[1]["fwmask"] as? String == "0xf0")
        for rule in all { try stage.routes.remove(rule) }
        #expect(try stage.routes.rules().isEmpty)
        try stage.namespace.ip("rule", "add", "priority", "7", "not", "from", "10.0.0.1", "table", "5")
        #expect(throws: NetlinkError.unsupported(what: "routing rule 7", property: "not")) {
            _ = try stage.routes.rules()
        }
    }
}
