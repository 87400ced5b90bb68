// SPDX-License-Identifier: Apache-2.0
import Cgroup
import Glibc
import Linux
import TaskProtocol
import TestSupport
import Testing

@testable import Handshake

/// `start` and what it starts, as programs: Tests/Programs/HandshakeUnderTest.
@Suite(.timeLimit(.minutes(2))) struct StartTests {
    let scratch = Scratch()

    struct Result {
        var status: Process.ExitStatus
        var output: String
        var errors: String
    }

    /// The program beside the tests.
    static let program: String = {
        let link = (try? Directory.link("/proc/self/exe", at: .currentDirectory)) ?? ""
        return link.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/HandshakeUnderTest"
    }()

    func bundle(_ id: String, _ document: String? = "{}") throws -> String {
        let path = try scratch.directory("bundles/\(id)")
        if let document { _ = try scratch.write(document, to: "bundles/\(id)/config.json") }
        return path
    }

    /// Runs `start` for the container `id`, as containerd does but for the current directory.
    func start(
        _ id: String, namespace: String = "ns", input: [UInt8] = [], variables: [String] = []
    ) throws -> Result {
        let text = try scratch.write(String(decoding: input, as: UTF8.self), to: "input")
        let stdin = try FileDescriptor.open(text)
        let output = try FileDescriptor.pipe()
        let errors = try FileDescriptor.pipe()
        let pid = try Process.spawn(
            Self.program,
            [
                "-namespace", namespace, "-address", scratch.path + "/containerd.sock", "-publish-binary", "/bin/true",
                "-id", id, "-bundle", scratch.path + "/bundles/" + id, "start",
            ], environment: ["SHIM_SOCKETS=\(scratch.path)/s", "TTRPC_ADDRESS=/from/environment"] + variables,
            descriptors: [0: stdin.borrowed, 1: output.writer.borrowed, 2: errors.writer.borrowed])
        let out = output.takeReader()
        let err = errors.takeReader()
        // The daemon must have let go of both, or this waits for ever.
        let said = String(decoding: try out.readAll(limit: 65536), as: UTF8.self)
        let complained = String(decoding: try err.readAll(limit: 65536), as: UTF8.self)
        guard let (_, status) = try Process.wait(for: pid) else { throw Errno.noChild }
        return Result(status: status, output: said, errors: complained)
    }

    /// What the shim at an address says of itself: pid, session, OOM score, directory, TTRPC_ADDRESS, id.
    func ask(_ address: String, ends: Bool = false) throws -> [String] {
        let socket = try UnixSocket.connect(to: String(address.dropFirst(7)))
        let answer = try socket.readAll(limit: 4096)
        if ends { try socket.writeAll([0x78]) }
        return String(decoding: answer, as: UTF8.self).split(separator: " ").map(String.init)
    }

    func end(_ address: String) throws {
        let pid = try #require(Int32(try ask(address, ends: true)[0]))
        // Not a child: it is gone when its descriptor says so.
        if let process = try? Process.descriptor(of: pid) {
            _ = try Poll.wait(process.borrowed, .readable, until: Deadline(after: .seconds(10)))
        }
    }

    @Test("Start launches a shim in a session of its own, and a second start finds it")
    func aShimOfItsOwn() throws {
        let bundle = try bundle("c1")
        _ = try scratch.fifo("bundles/c1/log")
        let log = try FileDescriptor.open(bundle + "/log", .nonBlocking)
        let result = try start("c1")
        #expect(result.status == .exited(code: 0), "\(result.errors)")
        #expect(result.errors == "")
        #expect(result.output.hasPrefix("unix://\(scratch.path)/s/"))
        #expect(scratch.read("bundles/c1/address") == result.output)
        let facts = try ask(result.output)
        try #require(facts.count == 6)
        #expect(facts[0] == facts[1], "a session of its own")
        let own = try FileDescriptor.open("/proc/self/oom_score_adj").read(upTo: 16)
        let score = try #require(Int(String(decoding: own.dropLast(), as: UTF8.self)))
        #expect(facts[2] == "\(min(score + 1, 1000))")
        #expect(Array(facts[3...]) == [bundle, "/from/environment", "c1"])
        // 10,000 lines do not fit, and were not waited for.
        #expect(try log.read(upTo: 19) == Array("a line for the log\n".utf8))
        // Found again, not started again.
        let again = try start("c1")
        #expect(again.output == result.output)
        #expect(try ask(result.output)[0] == facts[0])
        try end(result.output)
        #expect(try Directory.entries(of: openDirectory("s")).isEmpty)
        #expect(Set(try names("bundles/c1")) == ["address", "config.json", "log"])
    }

    func openDirectory(_ name: String) throws -> BorrowedDescriptor {
        // Left to the end of the test's process: it is one number.
        try FileDescriptor.open("\(scratch.path)/\(name)", .directory).release()
    }

    func names(_ name: String) throws -> [String] {
        try Directory.entries(of: openDirectory(name)).map(\.name)
    }

    static let canMakeCgroups: Bool = {
        guard let cgroup = try? HostCgroup.create(path: "/fc-runc-probe-\(getpid())", limits: CgroupLimits()) else {
            return false
        }
        return (try? cgroup.remove()) != nil && !cgroup.directories.isEmpty
    }()

    private func options(cgroup: String) -> [UInt8] {
        AnyMessage(type: TypeName.runcOptions, RuncOptions.with { $0.shimCgroup = cgroup }).encoded()
    }

    @Test(
        "The shim is in the cgroup that runc's options name",
        .enabled(if: canMakeCgroups, "cgroups cannot be made here"))
    func aCgroupForTheShim() throws {
        _ = try bundle("c1")
        let name = "/fc-runc-shim-\(getpid())"
        let cgroup = try HostCgroup.create(path: name, limits: CgroupLimits())
        defer { try? cgroup.remove() }
        let result = try start("c1", input: options(cgroup: name))
        #expect(result.status == .exited(code: 0), "\(result.errors)")
        let pid = try #require(Int32(try ask(result.output)[0]))
        #expect(try cgroup.processes() == [pid])
        try end(result.output)
        #expect(try cgroup.processes().isEmpty)
    }

    @Test(
        "A cgroup that is not there is an error that names it, and nothing is left",
        .enabled(if: canMakeCgroups, "there are no cgroups"))
    func aCgroupThatIsMissing() throws {
        _ = try bundle("c1")
        let result = try start("c1", input: options(cgroup: "/fc-runc-none-\(getpid())"))
        #expect(result.status == .exited(code: 1))
        #expect((result.output + result.errors).contains("options: ShimCgroup \"/fc-runc-none-\(getpid())\": "))
        #expect(try Directory.entries(of: openDirectory("s")).allSatisfy { !$0.name.hasSuffix(".sock") })
        #expect(Set(try names("bundles/c1")) == ["config.json"])
    }

    @Test("A pod's members use the shim of their sandbox")
    func membersFindTheirSandboxsShim() throws {
        _ = try bundle("sandbox", nil)
        _ = try bundle("member", "{\"annotations\":{\"sandbox\":\"sandbox\"}}")
        _ = try bundle("alone", "{\"annotations\":null}")
        let sandbox = try start("sandbox")
        let member = try start("member", variables: ["MAX_SHIM_VERSION=2"])
        let alone = try start("alone")
        #expect(member.output == "{\"version\":2,\"address\":\"\(sandbox.output)\",\"protocol\":\"ttrpc\"}")
        #expect(scratch.read("bundles/member/address") == sandbox.output)
        #expect(alone.output != sandbox.output)
        let elsewhere = try start("sandbox", namespace: "ns2")
        #expect(elsewhere.output != sandbox.output)
        #expect(try ask(sandbox.output).last == "sandbox")
        for address in [sandbox.output, alone.output, elsewhere.output] { try end(address) }
    }

    @Test("Start takes socket directory and TTRPC address from the bootstrap message")
    func byMessage() throws {
        _ = try bundle("c1")
        var parameters = BootstrapParams()
        parameters.instanceID = "c1"
        parameters.namespace = "ns"
        parameters.socketDir = scratch.path + "/other"
        parameters.containerdTTRPCAddress = "unix:///from/message"
        let result = try start("c1", input: parameters.encoded())
        let answer = try BootstrapResult(decoding: Array(result.output.utf8))
        #expect(answer.address.hasPrefix("unix://\(scratch.path)/other/"))
        #expect(answer.version == 3)
        #expect(try ask(answer.address)[4] == "/from/message")
        try end(answer.address)
    }

    @Test("Concurrent starts of one pod launch a single shim")
    func ofManyAtATimeOneStarts() throws {
        let ids = (0..<6).map { "c\($0)" }
        for id in ids { _ = try bundle(id, "{\"annotations\":{\"sandbox\":\"pod\"}}") }
        var pids: [Int32] = []
        for id in ids {
            let null = try FileDescriptor.open("/dev/null", .readWrite)
            pids.append(
                try Process.spawn(
                    Self.program,
                    ["-namespace", "ns", "-id", id, "-bundle", scratch.path + "/bundles/" + id, "start"],
                    environment: ["SHIM_SOCKETS=\(scratch.path)/s"],
                    descriptors: [0: null.borrowed, 1: null.borrowed, 2: null.borrowed]))
        }
        for pid in pids { #expect(try Process.wait(for: pid)?.status == .exited(code: 0)) }
        let addresses = Set(ids.map { scratch.read("bundles/\($0)/address") })
        #expect(addresses.count == 1)
        #expect(try names("s").count == 1)
        try end(try #require(addresses.first.flatMap { $0 }))
    }

    @Test("A dead shim's socket is replaced or removed, and a live one's is kept")
    func aDeadShimsSocketIsReplaced() throws {
        let bundle = try bundle("c1")
        let first = try start("c1")
        let pid = try #require(Int32(try ask(first.output)[0]))
        let process = try Process.descriptor(of: pid)
        try Process.kill(pid, SIGKILL)
        _ = try Poll.wait(process.borrowed, .readable, until: Deadline(after: .seconds(10)))
        #expect(try names("s").count == 1)
        let second = try start("c1")
        #expect(second.output == first.output)
        #expect(try ask(second.output)[0] != "\(pid)")
        // Who is there is not stale; who was killed is.
        let directory = try FileDescriptor.open(bundle, .directory)
        try ShimSocket.removeStale(bundle: directory.borrowed)
        let next = try #require(Int32(try ask(second.output)[0]))
        let nextProcess = try Process.descriptor(of: next)
        try Process.kill(next, SIGKILL)
        _ = try Poll.wait(nextProcess.borrowed, .readable, until: Deadline(after: .seconds(10)))
        try ShimSocket.removeStale(bundle: directory.borrowed)
        try ShimSocket.removeStale(bundle: directory.borrowed)
        #expect(try names("s").isEmpty)
    }

    @Test(
        "A shim that cannot serve fails start with the reason and leaves nothing behind",
        arguments: [
            ("says", "the shim cannot serve: no?luck"), ("exits", "the shim ended before it served: exit code 3"),
            ("dies", "the shim ended before it served: signal 9"), ("hangs", "the shim did not serve within 5 seconds"),
        ])
    func oneThatCannotServe(_ fault: String, _ text: String) throws {
        _ = try bundle("c1")
        let result = try start("c1", variables: ["SHIM_FAULT=\(fault)"])
        #expect(result.status == .exited(code: 1))
        #expect(result.output == "")
        #expect(result.errors == "containerd-shim-fc-runc-v2: " + text)
        #expect(try names("s").isEmpty)
        #expect(try names("bundles/c1") == ["config.json"])
    }

    static let wrong: [(String, String)] = [
        ("{", "config.json: "), ("{\"annotations\":7}", "config.json: annotations: expected an object"),
        ("{\"annotations\":{\"a\":1}}", "config.json: annotations.a: expected a string"),
        ("{\"annotations\":{\"sandbox\":\"../x\"}}", "sandbox id \"../x\" must be 1 to 76 letters"),
        ("{\"annotations\":{\"sandbox\":\"refused\"}}", "config.json: annotations: refused"),
    ]

    @Test("An invalid config.json fails start before anything is made", arguments: wrong)
    func documentsThatLie(_ document: String, _ text: String) throws {
        _ = try bundle("c1", document)
        let result = try start("c1")
        #expect(result.status == .exited(code: 1))
        #expect(result.errors.hasPrefix("containerd-shim-fc-runc-v2: " + text), "\(result.errors)")
        #expect(!scratch.exists("s"))
        #expect(!scratch.exists("bundles/c1/address"))
    }

    @Test("A file that is no socket is not removed")
    func whatIsNoSocketStays() throws {
        _ = try bundle("c1")
        let path = try ShimSocket.path(
            containerd: scratch.path + "/containerd.sock", namespace: "ns", group: "c1",
            directory: try scratch.directory("s"))
        let name = "s/" + path.split(separator: "/").last!
        _ = try scratch.write("kept", to: name)
        let result = try start("c1")
        #expect(result.status == .exited(code: 1))
        #expect(scratch.read(name) == "kept")
        _ = try scratch.write("unix://\(path)", to: "bundles/c1/address")
        let directory = try FileDescriptor.open(scratch.path + "/bundles/c1", .directory)
        #expect(throws: HandshakeError.self) { try ShimSocket.removeStale(bundle: directory.borrowed) }
        // Nor is what has another name looked at.
        _ = try scratch.write("unix:///etc/passwd", to: "bundles/c1/address")
        try ShimSocket.removeStale(bundle: directory.borrowed)
    }

    @Test("A shim started by hand without a listening socket fails and says so")
    func byHandItSaysHow() throws {
        let errors = try FileDescriptor.pipe()
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let pid = try Process.spawn(
            Self.program, ["-namespace", "ns", "-id", "c1"],
            descriptors: [0: null.borrowed, 1: null.borrowed, 2: errors.writer.borrowed, 3: null.borrowed])
        let reader = errors.takeReader()
        let text = String(decoding: try reader.readAll(limit: 4096), as: UTF8.self)
        #expect(text.contains("descriptor 3 is not a listening socket"))
        #expect(try Process.wait(for: pid)?.status == .exited(code: 1))
    }

    @Test("A shim serves on a named socket and removes it when it ends")
    func onASocketThatIsNamed() throws {
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        let path = scratch.path + "/named"
        let pid = try Process.spawn(
            Self.program, ["-namespace", "ns", "-id", "c1", "-socket", path, "serve"],
            descriptors: [0: null.borrowed, 1: null.borrowed, 2: null.borrowed])
        let deadline = Deadline(after: .seconds(20))
        while (try? ShimSocket.isServed(path)) != true, !deadline.hasPassed { usleep(10_000) }
        #expect(try ask("unix://" + path, ends: true).last == "c1")
        #expect(try Process.wait(for: pid)?.status == .exited(code: 0))
        #expect(!scratch.exists("named"))
    }
}
