// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Sandbox

@Suite("The resolver of a network namespace")
struct SandboxResolverTests {
    private static let head =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"

    private static func line(_ local: String, remote: String = "00000000:0000") -> String {
        " 1234: \(local) \(remote) 07 00000000:00000000 00:00000000 00000000     0        0 55 2 0000000000000000 0\n"
    }

    @Test("A socket for datagrams to 127.0.0.11 is one, whatever its port")
    func aSocketAtItsAddress() {
        #expect(SandboxResolver.isThere(in: Array((Self.head + Self.line("0B00007F:A5C3")).utf8)))
        let others = Self.head + Self.line("00000000:0044") + Self.line("0B00007F:0035")
        #expect(SandboxResolver.isThere(in: Array(others.utf8)))
    }

    @Test(
        "Other sockets, and no list at all, are none",
        arguments: [
            "", head, head + line("0100007F:0035"), head + line("00000000:0035"),
            head + line("0100007F:0035", remote: "0B00007F:0035"), head + line("0B00007F"), "0B00007F:0035",
        ])
    func anythingElse(list: String) {
        #expect(!SandboxResolver.isThere(in: Array(list.utf8)))
    }
}
