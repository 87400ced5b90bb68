// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TTRPC
import TaskProtocol
import TestSupport
import Testing

@testable import TaskService

/// containerd 2's Sandbox service over a connection, with the runtime played by the test.
@Suite struct SandboxTests {
    /// What a call came to, once it did.
    final class Reply {
        var result: Result<[UInt8], TTRPC.Failure>?

        var code: StatusCode? { if case .failure(let failure) = result { failure.code } else { nil } }
        var isAnswered: Bool { if case .success = result { true } else { false } }

        func message<Message: TaskMessage>() throws -> Message {
            try Message(decoding: #require(result).get())
        }
    }

    /// Two ends of a connection, and what stands behind the service.
    final class Bench {
        let stage = Stage()
        let scratch = Scratch()
        private(set) var isShutDown = false
        private var dues: [() -> Void] = []
        private var requests: SandboxRequests!
        private var server: Server!
        private let client: Client

        init() throws {
            let path = scratch.path + "/s"
            client = try Client(path: path)
            requests = SandboxRequests(
                table: stage.table, later: { [unowned self] in dues.append($1) },
                shutdown: { [unowned self] in isShutDown = true })
            server = try Server(listener: UnixSocket.listen(at: path)) { [unowned self] in requests.handle($0) }
        }

        func call(_ method: String, _ payload: [UInt8]) -> Reply {
            let reply = Reply()
            client.call(service: ServiceName.sandbox, method: method, payload: payload, timeout: .seconds(60)) {
                reply.result = $0
            }
            turn()
            return reply
        }

        func call(_ method: SandboxMethod, _ id: String = "pod") -> Reply {
            call(method.rawValue, IDRequest.with { $0.id = id }.encoded())
        }

        func create(_ id: String = "pod", bundle: String = "/b/pod") -> Reply {
            call(
                SandboxMethod.create.rawValue,
                CreateSandboxRequest.with { ($0.sandboxID, $0.bundlePath) = (id, bundle) }.encoded())
        }

        func status() throws -> SandboxStatusResponse {
            try call(
                SandboxMethod.status.rawValue, SandboxStatusRequest.with { $0.sandboxID = "pod" }.encoded()
            ).message()
        }

        func stop(seconds: UInt32) -> Reply {
            call(
                SandboxMethod.stop.rawValue,
                StopSandboxRequest.with { ($0.sandboxID, $0.timeoutSeconds) = ("pod", seconds) }.encoded())
        }

        /// Bytes go to and fro until there is nothing to do.
        func turn() {
            for _ in 0..<20 {
                _ = client.work(now: .now)
                _ = server.work(now: .now)
            }
        }

        func pass() {
            let now = dues
            dues = []
            for due in now { due() }
            turn()
        }

        func finish(_ verb: String, _ outcome: VerbOutcome = .success(VerbAnswer())) {
            stage.verbs.finish(verb, outcome)
            turn()
        }

        func ends(_ pid: Int32, _ status: UInt32) {
            stage.ends(pid, status)
            turn()
        }

        /// A sandbox that runs as process 10.
        func running() {
            _ = create()
            _ = call(.start)
            finish("create", .success(VerbAnswer(pid: 10)))
            finish("start")
        }
    }

    @Test("A sandbox is created, started, stopped and shut down")
    func aSandboxFromItsCreationToItsEnd() throws {
        let bench = try Bench()
        #expect(bench.create().isAnswered)
        #expect(try bench.status().state == SandboxState.notReady)
        let start = bench.call(.start)
        #expect(start.result == nil)
        bench.finish("create", .success(VerbAnswer(pid: 10)))
        bench.finish("start")
        #expect(try (start.message() as StartSandboxResponse).pid == 10)
        #expect(try bench.status().state == SandboxState.ready)
        #expect(bench.call(.ping).isAnswered)
        #expect(try (bench.call(.platform).message() as PlatformResponse).platform?.os == "linux")
        let wait = bench.call(.wait)
        let stop = bench.stop(seconds: 5)
        #expect(wait.result == nil && stop.result == nil)
        guard case .kill("pod", "", SIGTERM, false) = bench.stage.verbs.asked.last else {
            Issue.record("\(String(describing: bench.stage.verbs.asked.last))")
            return
        }
        bench.ends(10, 143)
        #expect(stop.isAnswered)
        #expect(try (wait.message() as WaitResponse).exitStatus == 143)
        #expect(try bench.status().state == SandboxState.notReady)
        let shutdown = bench.call(.shutdown)
        bench.finish("delete")
        #expect(shutdown.isAnswered && bench.isShutDown)
        #expect(bench.call(.shutdown).code == .notFound)
    }

    @Test("A sandbox that does not stop in time is killed")
    func whoDoesNotStopIsKilled() throws {
        let bench = try Bench()
        bench.running()
        let stop = bench.stop(seconds: 1)
        bench.pass()
        guard case .kill("pod", "", SIGKILL, true) = bench.stage.verbs.asked.last else {
            Issue.record("\(String(describing: bench.stage.verbs.asked.last))")
            return
        }
        #expect(stop.result == nil)
        bench.ends(10, 137)
        #expect(stop.isAnswered)
    }

    @Test("A sandbox whose start failed can be started again")
    func aStartThatFailsCanBeTriedAgain() throws {
        let bench = try Bench()
        _ = bench.create()
        let first = bench.call(.start)
        bench.finish("create", .failed(.unknown, "the sandbox did not start: boot"))
        #expect(first.code == .unknown)
        let second = bench.call(.start)
        bench.finish("create", .success(VerbAnswer(pid: 10)))
        bench.finish("start")
        #expect(second.isAnswered)
    }

    @Test("A shim holds a single sandbox")
    func ofOneShimThereIsOneSandbox() throws {
        let bench = try Bench()
        #expect(bench.create().isAnswered)
        #expect(bench.create("other").code == .alreadyExists)
        #expect(bench.call(.start, "other").code == .notFound)
        #expect(bench.call(.wait).code == .failedPrecondition)
        bench.running()
        #expect(bench.call(.start).code == .failedPrecondition)
    }

    @Test(
        "A sandbox with an invalid id or bundle is refused and leaves nothing",
        arguments: [("../x", "/b"), ("", "/b"), ("a/b", "/b"), ("pod", "b"), ("pod", "")])
    func whatCannotBeIsRefused(id: String, bundle: String) throws {
        let bench = try Bench()
        #expect(bench.create(id, bundle: bundle).code == .invalidArgument)
        #expect(bench.create().isAnswered, "nothing is left of the refused one")
    }

    @Test("Unknown methods, malformed requests and unknown sandboxes are refused")
    func strangeRequests() throws {
        let bench = try Bench()
        #expect(bench.call("Checkpoint", []).code == .unimplemented)
        #expect(bench.call(SandboxMethod.create.rawValue, [0xff, 0xff]).code == .invalidArgument)
        for method in [SandboxMethod.start, .wait, .shutdown, .metrics] {
            #expect(bench.call(method).code == .notFound)
        }
    }
}
