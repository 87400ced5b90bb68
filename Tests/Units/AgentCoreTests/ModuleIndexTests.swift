// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import AgentCore

/// Lists as depmod writes them.
private let index = ModuleIndex(
    dependencies: Array(
        """
        kernel/net/nf_tables.ko: kernel/net/nfnetlink.ko kernel/lib/libcrc32c.ko
        kernel/net/nfnetlink.ko:
        kernel/lib/libcrc32c.ko:
        nft_chain_nat.ko: nf_nat.ko nf_conntrack.ko kernel/net/nf_tables.ko kernel/net/nfnetlink.ko kernel/lib/libcrc32c.ko
        nf_nat.ko: nf_conntrack.ko kernel/lib/libcrc32c.ko
        nf_conntrack.ko: kernel/lib/libcrc32c.ko
        crc32c-intel.ko:
        crc32c_generic.ko:
        loop.ko:
        xt_LOG.ko: x_tables.ko
        x_tables.ko:
        nf_log_syslog.ko:
        late.ko:
        a.ko:
        b.ko:
        """.utf8),
    aliases: Array(
        """
        # Aliases extracted from modules themselves.
        alias nfnetlink-subsys-10 nf_tables
        alias nft-chain-*-nat nft_chain_nat
        alias char-major-10-237 loop
        alias block-major-7-* loop
        alias crypto-crc32c crc32c_intel
        alias crypto-crc32c crc32c_generic
        alias missing-one nowhere
        alias
        alias too many words here
        aliasx-block a
        """.utf8),
    softDependencies: Array(
        """
        # Soft dependencies extracted from modules themselves.
        softdep libcrc32c pre: crypto-crc32c
        softdep xt_LOG pre: nf_log_syslog post: late
        softdep a pre: b
        softdep b pre: a post: a
        softdep loop a b
        """.utf8))

private func files(_ name: String) -> [String] { index.files(for: Array(name.utf8)) }

@Suite("The files of a kernel module")
struct ModuleIndexTests {
    @Test("A module comes after its dependencies, in whatever directories they lie")
    func dependencies() {
        #expect(files("nf_conntrack") == ["kernel/lib/libcrc32c.ko", "nf_conntrack.ko"])
        #expect(
            files("nft_chain_nat") == [
                "kernel/lib/libcrc32c.ko", "kernel/net/nfnetlink.ko", "kernel/net/nf_tables.ko", "nf_conntrack.ko",
                "nf_nat.ko", "nft_chain_nat.ko",
            ])
    }

    @Test("Dashes and underscores in module names are equal")
    func dashes() {
        #expect(files("nft-chain-nat").last == "nft_chain_nat.ko")
        #expect(files("crc32c_intel") == ["crc32c-intel.ko"])
    }

    @Test("An alias may be a pattern and may name several modules")
    func aliases() {
        #expect(files("char-major-10-237") == ["loop.ko"])
        #expect(files("block-major-7-12") == ["loop.ko"])
        #expect(files("nft-chain-2-nat").last == "nft_chain_nat.ko")
        #expect(files("crypto-crc32c") == ["crc32c-intel.ko", "crc32c_generic.ko"])
    }

    @Test("Soft dependencies load before or after their module, and cycles end")
    func softDependencies() {
        #expect(files("libcrc32c") == ["crc32c-intel.ko", "crc32c_generic.ko", "kernel/lib/libcrc32c.ko"])
        #expect(files("xt_LOG") == ["nf_log_syslog.ko", "x_tables.ko", "xt_LOG.ko", "late.ko"])
        #expect(Set(files("a")) == ["a.ko", "b.ko"])
        #expect(files("loop") == ["loop.ko"], "names before pre: mean nothing")
    }

    @Test(
        "An unknown or malformed name yields no files",
        arguments: [
            "", "nowhere", "missing-one", "loop.ko", "../loop", "*", "nf_*", "x", "block-major-7", "too", "#", "alias",
            String(repeating: "a", count: 4096), "x-block", "kernel/net/nfnetlink",
        ])
    func unknown(name: String) {
        #expect(files(name).isEmpty)
    }

    @Test("Patterns match like the shell's, in bounded time")
    func patterns() {
        func matches(_ pattern: String, _ name: String) -> Bool {
            ModuleIndex.matches(Array(pattern.utf8), Array(name.utf8))
        }
        #expect(matches("*", ""))
        #expect(matches("a*c", "abc") && matches("a*c", "ac") && !matches("a*c", "ab"))
        #expect(matches("a?c", "abc") && !matches("a?c", "ac"))
        #expect(matches("*nat*", "nft-chain-nat-2") && matches("**", "x"))
        #expect(!matches("", "x") && !matches("x", ""))
        let many = String(repeating: "a*", count: 500) + "b"
        #expect(!matches(many, String(repeating: "a", count: 4096)))
    }

    @Test("Hostile lists yield no more files than the limit")
    func hostileLists() {
        let all = (0..<500).map { "m\($0).ko:" }.joined(separator: "\n")
        let aliases = (0..<500).map { "alias everything m\($0)" }.joined(separator: "\n")
        let large = ModuleIndex(dependencies: Array(all.utf8), aliases: Array(aliases.utf8))
        #expect(large.files(for: Array("everything".utf8)).count == ModuleIndex.fileLimit)
        let noise = (0..<65536).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ $0 >> 8) }
        let odd = ModuleIndex(dependencies: noise, aliases: noise, softDependencies: noise)
        #expect(odd.files(for: Array(noise[0..<64])).isEmpty)
        #expect(ModuleIndex(dependencies: []).files(for: [97]).isEmpty)
    }
}
