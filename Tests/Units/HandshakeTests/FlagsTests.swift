// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Handshake

@Suite("Handshake: flags")
struct FlagsTests {
    @Test("Flags are parsed as by Go's flag package")
    func takesWhatGoTakes() throws {
        let flags = try Flags(["-id", "a", "--namespace=b", "-debug", "-address=", "--info=false", "start", "-v"])
        #expect(flags.values == ["id": "a", "namespace": "b", "debug": "true", "address": ""])
        #expect(flags.words == ["start", "-v"])
        #expect(try Flags(["-debug=T", "--", "-id"]).words == ["-id"])
        #expect(try Flags(["-id", "-x", "-"]).values == ["id": "-x"])
        #expect(try Flags([]).words.isEmpty)
    }

    func description(_ arguments: [String]) -> String {
        do throws(HandshakeError) {
            _ = try Flags(arguments)
            return "taken"
        } catch {
            return "\(error)"
        }
    }

    @Test("Invalid flags and arguments beyond the limits are refused with the reason")
    func refusesTheRest() {
        #expect(description(["-nonsense"]) == "flag provided but not defined: -nonsense")
        #expect(description(["---id"]) == "bad flag syntax: ---id")
        #expect(description(["-=x"]) == "bad flag syntax: -=x")
        #expect(description(["--=x"]) == "bad flag syntax: --=x")
        #expect(description(["-id"]) == "flag needs an argument: -id")
        #expect(description(["-debug=perhaps"]) == "invalid value \"perhaps\" for flag -debug")
        #expect(description(Array(repeating: "-v", count: 65)) == "65 arguments, at most 64 are taken")
        let long = String(repeating: "x", count: 4097)
        #expect(description(["-id", long]) == "argument of 4097 bytes, at most 4096 are taken")
    }

    @Test("Containerd's flags and environment make the invocation")
    func takesWhatContainerdSays() throws {
        let environment = ShimEnvironment(variables: [
            "PATH=/bin", "TTRPC_ADDRESS=/run/containerd/containerd.sock.ttrpc", "GRPC_ADDRESS=/other",
            "NAMESPACE=other", "MAX_SHIM_VERSION=2", "BROKEN",
        ])
        let arguments = [
            "containerd-shim-fc-runc-v2", "-namespace", "k8s.io", "-address", "/run/containerd/containerd.sock",
            "-publish-binary", "/usr/bin/containerd", "-id", "c1", "-bundle", "/run/b/c1", "-debug", "delete",
        ]
        let invocation = try Invocation(arguments: arguments, environment: environment)
        #expect(invocation.action == .delete)
        #expect(invocation.id == "c1")
        #expect(invocation.namespace == "k8s.io")
        #expect(invocation.containerdAddress == "/run/containerd/containerd.sock")
        #expect(invocation.ttrpcAddress == "/run/containerd/containerd.sock.ttrpc")
        #expect(invocation.bundle == "/run/b/c1")
        #expect(invocation.isDebug)
        #expect(invocation.maximumVersion == 2)
        let none = ShimEnvironment(variables: [])
        #expect(try Invocation(arguments: ["shim", "-v"], environment: none).action == .version)
        #expect(try Invocation(arguments: ["shim", "-info"], environment: none).action == .info)
        #expect(try Invocation(arguments: ["shim", "-namespace=n", "-id=c"], environment: none).action == .serve)
    }

    func description(_ arguments: String...) -> String {
        do throws(HandshakeError) {
            _ = try Invocation(arguments: ["shim"] + arguments, environment: ShimEnvironment(variables: []))
            return "taken"
        } catch {
            return "\(error)"
        }
    }

    @Test("Ids and namespaces are names, and unknown commands and relative paths are refused")
    func idsAreNames() {
        #expect(description("-namespace", "n", "-id", "c", "start") == "taken")
        #expect(description("-id", "c", "start") == "-namespace must not be empty")
        #expect(description("-namespace", "n", "start") == "-id must not be empty")
        let long = String(repeating: "a", count: 77)
        for id in ["../x", "a/b", ".", "..", "-a", "a-", ".a", "a b", "a\0", "ä", "a\n", long] {
            #expect(description("-namespace", "n", "-id", id, "start").hasPrefix("id \""))
            #expect(description("-namespace", id, "-id", "c", "start").hasPrefix("namespace \""))
        }
        #expect(description("-namespace", "n", "-id", "c", "stop").hasPrefix("unknown command \"stop\""))
        #expect(description("-namespace", "n", "-id", "c", "start", "it").hasPrefix("unknown command \"start it\""))
        #expect(description("-namespace", "n", "-id", "c", "-bundle", "b", "delete").hasPrefix("-bundle b: "))
        #expect(description("-namespace", "n", "-id", "c", "-socket", "b").hasPrefix("-socket b: "))
        #expect(description("-namespace", "n", "-id", String(repeating: "a", count: 76), "start") == "taken")
    }
}
