// SPDX-License-Identifier: Apache-2.0
import TaskProtocol
import Testing

@testable import Handshake

@Suite("Handshake: bootstrap")
struct BootstrapTests {
    func invocation(maximumVersion: Int? = nil) throws -> Invocation {
        var invocation = try Invocation(
            arguments: ["shim", "-namespace", "ns", "-id", "c1", "start"], environment: ShimEnvironment(variables: []))
        invocation.maximumVersion = maximumVersion
        return invocation
    }

    var options: AnyMessage {
        var options = AnyMessage()
        options.typeURL = "containerd.runc.v1.Options"
        options.value = [0x3A, 0x01, 0x72]
        return options
    }

    static let address = "unix:///run/containerd/s/0123"

    @Test("Containerd 1.6 gets a plain address, and its options may be absent")
    func containerd16() throws {
        let bootstrap = try Bootstrap(options.encoded(), for: invocation())
        #expect(bootstrap.generation == .plain)
        #expect(bootstrap.options == options)
        #expect(String(decoding: bootstrap.answer(address: Self.address), as: UTF8.self) == Self.address)
        #expect(try Bootstrap([], for: invocation()).options == nil)
    }

    /// All of them say 2. What is to come may say more, and gets what we have.
    @Test("Containerd 1.7 gets JSON with the highest version both sides know", arguments: [(2, 2), (3, 3), (9, 3)])
    func containerd17(_ maximum: Int, _ version: Int) throws {
        let bootstrap = try Bootstrap(options.encoded(), for: invocation(maximumVersion: maximum))
        #expect(bootstrap.generation == .json(version: version))
        #expect(bootstrap.options == options)
        #expect(
            String(decoding: bootstrap.answer(address: Self.address), as: UTF8.self)
                == "{\"version\":\(version),\"address\":\"\(Self.address)\",\"protocol\":\"ttrpc\"}")
    }

    @Test("Containerd 2.3 sends its parameters in a message and gets a message")
    func containerd23() throws {
        var parameters = BootstrapParams()
        parameters.instanceID = "c1"
        parameters.namespace = "ns"
        parameters.logLevel = -4
        parameters.containerdTTRPCAddress = "unix:///run/containerd/containerd.sock.ttrpc"
        parameters.socketDir = "/run/s"
        var part = BootstrapExtension()
        part.value = options
        parameters.extensions = [part]
        let bootstrap = try Bootstrap(parameters.encoded(), for: invocation(maximumVersion: 2))
        #expect(bootstrap.generation == .message)
        #expect(bootstrap.options == options)
        #expect(bootstrap.isDebug)
        #expect(bootstrap.ttrpcAddress == "/run/containerd/containerd.sock.ttrpc")
        #expect(bootstrap.socketDirectory == "/run/s")
        let result = try BootstrapResult(decoding: bootstrap.answer(address: Self.address))
        #expect(result.version == 3)
        #expect(result.address == Self.address)
        #expect(result.protocol == "ttrpc")
        // Of another container, they are no parameters.
        parameters.instanceID = "c2"
        #expect(try Bootstrap(parameters.encoded(), for: invocation()).generation == .plain)
    }

    @Test("Input that is no message is refused")
    func whatIsNoMessage() throws {
        #expect(throws: HandshakeError.self) { _ = try Bootstrap([0xFF, 0xFF, 0xFF], for: invocation()) }
        #expect(throws: HandshakeError.self) { _ = try Bootstrap([0x0A, 0x7F, 0x61], for: invocation()) }
    }

    @Test("A shim's socket path follows from its containerd and must fit an address")
    func socketsHaveNamesThatFit() throws {
        let path = try ShimSocket.path(
            containerd: "/run/containerd/containerd.sock", namespace: "default", group: "c1")
        #expect(path == "/run/containerd/s/d25aa4ef11a84e954e74a5bcff06557d0b6ea8d0c00243896f29826694bbd888")
        let other = try ShimSocket.path(containerd: "/run/other.sock", namespace: "default", group: "c1")
        #expect(other != path)
        let deep = "/" + String(repeating: "d", count: 42)
        do throws(HandshakeError) {
            _ = try ShimSocket.path(containerd: "", namespace: "n", group: "c", directory: deep)
            Issue.record("taken")
        } catch {
            #expect("\(error)".hasSuffix("108 bytes, at most 107 are possible"))
        }
        #expect(throws: HandshakeError.self) {
            try ShimSocket.path(containerd: "", namespace: "n", group: "c", directory: "relative")
        }
    }

    @Test("The delete, version and info commands answer in containerd's formats")
    func answersOfOtherCommands() throws {
        let deleted = Answers.deleted(pid: 7, exitStatus: 137, seconds: 1_700_000_000, nanoseconds: 5)
        let response = try DeleteResponse(decoding: deleted)
        #expect(response.pid == 7)
        #expect(response.exitStatus == 137)
        #expect(response.exitedAt?.seconds == 1_700_000_000)
        let version = String(decoding: Answers.version("1.2.3", specification: "1.3.0"), as: UTF8.self)
        #expect(version == "containerd-shim-fc-runc-v2:\n  Version:  1.2.3\n  spec:     1.3.0\n")
        // name = 1, version = 2 { version = 1 }, options = 3, features = 4: an Any, of more bytes than one byte counts.
        let features = [UInt8](repeating: 0x20, count: 300)
        let info = Answers.info(version: "1", options: options, features: features)
        let name = [0x0A, 24] + Array("io.containerd.fc-runc.v2".utf8)
        #expect(info.starts(with: name + [0x12, 3, 0x0A, 1, 0x31, 0x1A]))
        let described = Array(info.drop { $0 != 0x22 })
        let byteCount = described.count - 3
        #expect(Array(described[..<3]) == [0x22, UInt8(byteCount & 0x7F) | 0x80, UInt8(byteCount >> 7)])
        let any = try AnyMessage(decoding: Array(described[3...]))
        #expect(any.typeURL == "types.containerd.io/opencontainers/runtime-spec/1/features/Features")
        #expect(any.value == features)
    }
}
