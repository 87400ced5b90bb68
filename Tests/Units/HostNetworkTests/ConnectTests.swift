// SPDX-License-Identifier: Apache-2.0
import HostNetwork
import Linux
import Netlink
import SandboxPlan
import TestSupport
import Testing

@Suite(.enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.obstacle ?? "")))
struct ConnectTests {
    @Test("Frames pass both ways between an interface's other end and its tap", arguments: [1400, 1500, 9000])
    func framesPass(mtu: Int) throws {
        let stage = try Stage(mtu: mtu)
        let connection = try stage.connect("eth0")[0]
        let far = try stage.namespace.packets(on: stage.index("peer"))
        for type: [UInt8] in [[0x88, 0xb5], [0x86, 0xdd], [0x08, 0x00], [0x08, 0x06]] {
            for count in [14, 15, 60, mtu + 14] {
                let outward = Stage.frame(count, from: 3, to: 2, type: type)
                let message = [UInt8](repeating: 0, count: 12) + outward
                #expect(try connection.tap.write(message, 0..<message.count) == message.count)
                #expect(try Stage.receive(far, like: outward) == outward)
                let inward = Stage.frame(count, from: 4, to: 1, type: type)
                _ = try far.write(inward, 0..<count)
                #expect(try Stage.receive(connection.tap, like: inward, header: 12) == inward)
            }
        }
    }

    @Test("The namespace itself hears nothing of what is redirected, and says nothing on the tap")
    func theNamespaceIsSilent() throws {
        let stage = try Stage()
        try stage.namespace.ip("addr", "add", "10.1.1.2/24", "dev", "eth0")
        let connection = try stage.connect("eth0")[0]
        // Who has 10.1.1.2? The namespace would answer.
        let request: [UInt8] =
            [255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 4, 8, 6]
            + [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 4, 10, 1, 1, 9, 0, 0, 0, 0, 0, 0, 10, 1, 1, 2]
        let far = try stage.namespace.packets(on: stage.index("peer"))
        _ = try far.write(request, 0..<request.count)
        #expect(try Stage.receive(connection.tap, like: request, header: 12) == request)
        #expect(try !stage.namespace.ip("addr", "show", "dev", connection.tapName).contains("inet"))
        // What it sent since it came up: nothing, but what came in by the other end.
        try connection.tap.setNonBlocking(true)
        while let frame = try? connection.tap.read(upTo: 70000) {
            #expect(frame.count < 26 || frame[18..<24] == [2, 0, 0, 0, 0, 2])
        }
    }

    @Test(
        "The end of a connection leaves the interface as it was, whether the tap has gone or not",
        arguments: [true, false])
    func nothingStays(tapGoesFirst: Bool) throws {
        let stage = try Stage()
        let before = try stage.state()
        var connections = try stage.connect("eth0", "peer")
        #expect(try stage.state() != before)
        if tapGoesFirst { connections = [] }
        try stage.disconnect("eth0", "peer", "none")
        connections = []
        #expect(try stage.comes(to: before))
        try stage.disconnect("eth0", "peer")
        #expect(connections.isEmpty)
    }

    @Test("A connection that fails leaves nothing behind, and names the interface that has gone")
    func failureLeavesNothing() throws {
        let stage = try Stage()
        let before = try stage.state()
        var interfaces = try stage.capture().interfaces
        interfaces.append(NetworkInterface(slot: 2, name: "gone", hardwareAddress: [2, 0, 0, 0, 0, 9], mtu: 1500))
        #expect(throws: HostNetworkError.vanished(interface: "gone")) {
            _ = try HostNetwork.connect(interfaces, in: stage.namespace.file.borrowed)
        }
        #expect(try stage.comes(to: before))
        interfaces[2].name = "eth0"
        #expect(throws: HostNetworkError.occupied(interface: "eth0")) {
            _ = try HostNetwork.connect(interfaces, in: stage.namespace.file.borrowed)
        }
        #expect(try stage.comes(to: before))
        interfaces = [interfaces[0]]
        interfaces[0].mtu = 65535
        #expect(throws: HostNetworkError.self) {
            _ = try HostNetwork.connect(interfaces, in: stage.namespace.file.borrowed)
        }
        #expect(try stage.comes(to: before))
    }

    @Test("An interface that another sandbox has, or another program's filters, is not taken")
    func whatIsTakenStays() throws {
        let stage = try Stage()
        let first = try stage.connect("eth0")
        let during = try stage.state()
        #expect(throws: HostNetworkError.occupied(interface: "eth0")) { _ = try stage.connect("eth0") }
        #expect(try stage.state() == during)
        try stage.namespace.tc("qdisc", "add", "dev", "peer", "clsact")
        #expect(throws: HostNetworkError.occupied(interface: "peer")) { _ = try stage.connect("peer") }
        try stage.disconnect("peer")
        #expect(try stage.namespace.tc("qdisc", "show", "dev", "peer").contains("clsact"))
        withExtendedLifetime(first) {}
    }

    @Test("What a runtime left that was killed is taken away by the next")
    func leftoversAreTakenAway() throws {
        let stage = try Stage()
        let before = try stage.routes.links()
        _ = try stage.connect("eth0")
        let deadline = Deadline(after: .seconds(10))
        while try stage.routes.links() != before, !deadline.hasPassed { SystemTime.sleep(milliseconds: 10) }
        #expect(try stage.routes.entrance(of: stage.index("eth0")) == .redirect(to: 0))
        let connection = try stage.connect("eth0")[0]
        let far = try stage.namespace.packets(on: stage.index("peer"))
        let frame = Stage.frame(100, from: 4, to: 1)
        _ = try far.write(frame, 0..<100)
        #expect(try Stage.receive(connection.tap, like: frame, header: 12) == frame)
    }

    @Test("Fifty interfaces, whatever their names, each have a tap of their own")
    func fiftyInterfaces() throws {
        let stage = try Stage()
        try stage.namespace.ip("link", "del", "dev", "eth0")
        for number in 10..<60 {
            try stage.namespace.ip(
                "link", "add", "name", "é!+'\"_.-@=,#\(number)", "type", "veth", "peer", "name", "p\(number)")
        }
        let plan = try stage.capture(limit: 100)
        #expect(plan.interfaces.count == 100 && plan.interfaces.map(\.slot) == Array(0..<100))
        let connected = try HostNetwork.connect(plan.interfaces, in: stage.namespace.file.borrowed)
        #expect(connected.map(\.interface) == plan.interfaces)
        #expect(Set(connected.map(\.tapName)).count == 100)
        try HostNetwork.disconnect(plan.interfaces.map(\.name), in: stage.namespace.file.borrowed)
        #expect(try !stage.namespace.tc("qdisc", "show").contains("ingress ffff: dev é"))
    }

    @Test("What name servers answer to a resolver's ports goes to the namespace, and everything else to the tap still")
    func answersPass() throws {
        let stage = try Stage()
        let before = try stage.state()
        var connections = try stage.connect("eth0")
        let far = try stage.namespace.packets(on: stage.index("peer"))
        try HostNetwork.letResolverAsk(by: ["eth0", "peer"], in: stage.namespace.file.borrowed)
        #expect(try stage.routes.entrance(of: stage.index("peer")) == .nothing)
        #expect(
            try HostNetwork.taps(of: ["eth0"], in: stage.namespace.file.borrowed) == ["eth0": connections[0].tapName])
        func send(_ frame: [UInt8]) throws { _ = try far.write(frame, 0..<frame.count) }
        func segment(_ source: UInt16, _ target: UInt16, number: UInt8 = 6) -> [UInt8] {
            let header: [UInt8] =
                [0x45, 0, 0, 40, 0, 1, 0x40, 0, 64, number, 0, 0, 10, 1, 1, 9, 10, 1, 1, 2]
            let ports = [source, target].flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
            return Array(Stage.frame(14, from: 4, to: 1, type: [8, 0])) + header + ports
                + [UInt8](repeating: 0, count: 16)
        }
        for port: UInt16 in [61440, 65535] { try send(segment(53, port)) }
        let others = [segment(53, 61439), segment(54, 61440), segment(61440, 53), segment(53, 61440, number: 17)]
        for frame in others {
            try send(frame)
            #expect(try Stage.receive(connections[0].tap, like: frame, header: 12) == frame)
        }
        let reply: [UInt8] =
            [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 4, 8, 6]
            + [0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 4, 10, 1, 1, 9, 2, 0, 0, 0, 0, 1, 10, 1, 1, 2]
        try send(reply)
        #expect(try Stage.receive(connections[0].tap, like: reply, header: 12) == reply)
        try stage.disconnect("eth0")
        connections = []
        #expect(try stage.comes(to: before))
    }
}
