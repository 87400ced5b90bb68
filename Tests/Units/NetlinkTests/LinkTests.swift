// SPDX-License-Identifier: Apache-2.0
import Linux
import Netlink
import SandboxPlan
import TestSupport
import Testing

@Suite(.enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.obstacle ?? "")))
struct LinkTests {
    @Test("Interfaces are listed as ip lists them")
    func linksAreListed() throws {
        let stage = try Stage()
        _ = try stage.pair()
        try stage.namespace.ip("link", "set", "dev", "a", "mtu", "9000", "address", "02:00:5e:10:00:ff")
        try stage.namespace.ip("link", "add", "name", "c", "type", "bridge")
        let links = try stage.routes.links()
        let listed = try stage.list("link")
        #expect(links.count == listed.count)
        for (link, other) in zip(links, listed) {
            #expect(Int(link.index) == other["ifindex"] as? Int)
            #expect(link.name == other["ifname"] as? String && link.hasTextualName)
            #expect(Int(link.mtu) == other["mtu"] as? Int)
            #expect(link.isUp == (other["flags"] as? [String])?.contains("UP"))
            let text = link.hardwareAddress.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            #expect(text.joined(separator: ":") == other["address"] as? String)
        }
        let a = try #require(links.first { $0.name == "a" })
        #expect(a.kind == "veth" && a.isEthernet && !a.isLoopback)
        #expect(links.first { $0.name == "c" }?.kind == "bridge")
        #expect(links.first { $0.name == "lo" }?.isLoopback == true)
        #expect(try stage.routes.link(named: "a") == a)
        #expect(try stage.routes.link(named: "none") == nil)
    }

    @Test("A name, a hardware address, an MTU, up and down are set")
    func linksAreChanged() throws {
        let stage = try Stage()
        let index = try stage.pair().a
        try stage.routes.setUp(false, of: index)
        #expect(try stage.routes.link(named: "a")?.isUp == false)
        try stage.routes.setName("x+é_0123456789", of: index)
        try stage.routes.setHardwareAddress([2, 1, 2, 3, 4, 5], of: index)
        try stage.routes.setMTU(1400, of: index)
        try stage.routes.setNoLinkLocalAddress(of: index)
        try stage.routes.setUp(true, of: index)
        let link = try #require(try stage.routes.link(named: "x+é_0123456789"))
        #expect(link.index == index && link.isUp && link.mtu == 1400)
        #expect(link.hardwareAddress == [2, 1, 2, 3, 4, 5])
        #expect(try stage.routes.addresses()[index] == nil)
    }

    @Test("What the kernel refuses is told with its own words")
    func refusalsAreTold() throws {
        let stage = try Stage()
        let index = try stage.pair().a
        #expect(
            throws: NetlinkError.refused(
                operation: "set the MTU", operand: "10", .invalidArgument, reason: "mtu less than device minimum")
        ) { try stage.routes.setMTU(10, of: index) }
        #expect(throws: NetlinkError.self) { try stage.routes.setName("b", of: index) }
        #expect(throws: NetlinkError.self) { try stage.routes.setName("far-too-long-name", of: index) }
        #expect {
            try stage.routes.setUp(true, of: 4711)
        } throws: { ($0 as? NetlinkError)?.errno == .noSuchDevice }
        let long = String(repeating: "x", count: 70000)
        #expect(throws: NetlinkError.tooLong(operation: "name the network interface", byteCount: 70005)) {
            try stage.routes.setName(long, of: index)
        }
        // The socket is as good as before.
        #expect(try stage.routes.links().count == 3)
    }

    @Test("Hundreds of interfaces and their addresses are listed whole")
    func manyAreListed() throws {
        let stage = try Stage()
        for number in 0..<150 {
            try stage.namespace.ip("link", "add", "name", "a\(number)", "type", "veth", "peer", "name", "b\(number)")
        }
        let links = try stage.routes.links()
        #expect(links.count == 301)
        for link in links {
            for byte: UInt8 in 1...3 {
                try stage.routes.add(
                    InterfaceAddress(local: prefix("10.\(link.index / 256).\(link.index % 256).\(byte)", 32)),
                    to: link.index)
            }
        }
        let addresses = try stage.routes.addresses()
        for link in links { #expect(addresses[link.index]?.map(\.local.address.bytes.last) == [1, 2, 3]) }
    }
}
