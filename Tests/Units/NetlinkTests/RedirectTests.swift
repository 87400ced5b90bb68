// SPDX-License-Identifier: Apache-2.0
import Linux
import Netlink
import SandboxPlan
import TestSupport
import Testing

@Suite(.enabled(if: TestNamespace.isAvailable, Comment(rawValue: TestNamespace.obstacle ?? "")))
struct RedirectTests {
    private static func frame(_ count: Int) -> [UInt8] {
        let header: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5]
        return header + (0..<count - 14).map { UInt8(truncatingIfNeeded: $0) }
    }

    private func receive(_ socket: borrowing FileDescriptor) throws -> [UInt8] {
        let events = try Poll.wait(socket.borrowed, .readable, until: Deadline(after: .seconds(5)))
        try #require(!events.isEmpty)
        return try socket.read(upTo: 70000)
    }

    @Test("Every frame that comes in by one interface goes out by another, and no more once that has ended")
    func framesAreRedirected() throws {
        let stage = try Stage()
        let (a, b) = try stage.pair()
        try stage.namespace.ip("link", "add", "name", "c", "type", "veth", "peer", "name", "d")
        for name in ["c", "d"] { try stage.namespace.ip("link", "set", "dev", name, "up") }
        let (c, d) = (try stage.index("c"), try stage.index("d"))
        #expect(try stage.routes.entrance(of: b) == .nothing)
        try stage.routes.redirect(from: b, to: c)
        #expect(try stage.routes.entrance(of: b) == .redirect(to: c))
        let sender = try stage.namespace.packets(on: a)
        let receiver = try stage.namespace.packets(on: d)
        // The shortest has nothing behind its header.
        for count in [14, 60, 1514] {
            _ = try sender.write(Self.frame(count), 0..<count)
            var frame: [UInt8]
            repeat { frame = try receive(receiver) } while frame.count < 14 || frame[12...13] != [0x88, 0xb5]
            #expect(frame == Self.frame(count))
        }
        #expect {
            try stage.routes.redirect(from: b, to: d)
        } throws: { ($0 as? NetlinkError)?.errno == .exists }
        #expect(try stage.routes.entrance(of: b) == .redirect(to: c))
        try stage.routes.removeRedirect(from: b)
        #expect(try stage.routes.entrance(of: b) == .nothing)
        #expect(try !stage.namespace.tc("qdisc", "show").contains("ingress"))
        #expect(throws: NetlinkError.self) { try stage.routes.removeRedirect(from: b) }
    }

    @Test("A redirection that was not made leaves nothing behind")
    func nothingIsLeft() throws {
        let stage = try Stage()
        let b = try stage.pair().b
        #expect {
            try stage.routes.redirect(from: b, to: 4711)
        } throws: { ($0 as? NetlinkError)?.errno == .noSuchDevice }
        #expect(try stage.routes.entrance(of: b) == .nothing)
        #expect {
            try stage.routes.redirect(from: 4711, to: b)
        } throws: { ($0 as? NetlinkError)?.errno == .noSuchDevice }
        try stage.namespace.tc("qdisc", "add", "dev", "b", "ingress")
        let before = try stage.namespace.tc("qdisc", "show", "dev", "b")
        #expect {
            try stage.routes.redirect(from: b, to: b)
        } throws: { ($0 as? NetlinkError)?.errno == .exists }
        #expect(try stage.namespace.tc("filter", "show", "dev", "b", "ingress").isEmpty)
        #expect(try stage.namespace.tc("qdisc", "show", "dev", "b") == before)
    }

    @Test("What others put at an interface's entrance is told from a redirection, and one to what has gone is seen")
    func entrancesAreToldApart() throws {
        let stage = try Stage()
        let (a, b) = try stage.pair()
        try stage.namespace.tc("qdisc", "add", "dev", "a", "ingress")
        #expect(try stage.routes.entrance(of: a) == .others)
        try stage.namespace.tc(
            "filter", "add", "dev", "a", "parent", "ffff:", "protocol", "all", "u32", "match", "u32", "0", "0",
            "action",
            "mirred", "egress", "redirect", "dev", "b")
        #expect(try stage.routes.entrance(of: a) == .others)
        try stage.namespace.tc("qdisc", "add", "dev", "b", "clsact")
        #expect(try stage.routes.entrance(of: b) == .others)
        try stage.namespace.tc("qdisc", "del", "dev", "b", "clsact")
        try stage.namespace.ip("link", "add", "name", "c", "type", "veth", "peer", "name", "d")
        try stage.routes.redirect(from: b, to: try stage.index("c"))
        try stage.namespace.ip("link", "del", "dev", "c")
        #expect(try stage.routes.entrance(of: b) == .redirect(to: 0))
    }
}
