// SPDX-License-Identifier: Apache-2.0
import Foundation
import Linux
import Netlink
import SandboxPlan
import TestSupport
import Testing

/// A namespace, its socket, and what ip(8) says of it.
struct Stage {
    let namespace: TestNamespace
    let routes: RouteSocket

    init() throws {
        namespace = try TestNamespace()
        let number = try namespace.inside { () throws(Errno) in try NetlinkSocket.openRoute().release() }
        routes = RouteSocket(FileDescriptor(owning: number))
    }

    /// A pair of interfaces, `a` and `b`, both up; b's index and a's.
    func pair() throws -> (a: UInt32, b: UInt32) {
        try namespace.ip("link", "add", "name", "a", "type", "veth", "peer", "name", "b")
        for name in ["lo", "a", "b"] { try namespace.ip("link", "set", "dev", name, "up") }
        return (try index("a"), try index("b"))
    }

    func index(_ name: String) throws -> UInt32 { try #require(try routes.link(named: name)).index }

    /// What `ip -j` lists.
    func list(_ words: String...) throws -> [[String: Any]] {
        let text =
            switch words.count {
            case 1: try namespace.ip("-j", words[0], "show")
            case 2: try namespace.ip("-j", words[0], words[1], "show")
            default: try namespace.ip("-j", words[0], words[1], "show", words[2], words[3])
            }
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
    }
}

/// An address as it is written.
func ip(_ text: String) -> IPAddress {
    var bytes = [UInt8](repeating: 0, count: 16)
    // Each fills as many bytes as its family has, sixteen at most.
    if unsafe inet_pton(AF_INET6, text, &bytes) == 1 { return IPAddress(bytes)! }
    let result = unsafe inet_pton(AF_INET, text, &bytes)
    precondition(result == 1)
    return IPAddress(Array(bytes.prefix(4)))!
}

func prefix(_ text: String, _ length: UInt8) -> IPPrefix { IPPrefix(ip(text), length: length)! }
