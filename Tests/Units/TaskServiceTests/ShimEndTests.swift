// SPDX-License-Identifier: Apache-2.0
import Glibc
import Handshake
import Linux
import TaskProtocol
import TestSupport
import Testing

@testable import TTRPC
@testable import TaskService

/// How a shim ends: a whole one, in a process of its own.
@Suite struct ShimEndTests {
    @Test("A shim that is shut down ends only after its answers are read")
    func theEndWaitsUntilAnswersAreRead() async {
        await #expect(processExitsWith: .success) {
            let shim = try ServedShim()
            let peer = try UnixSocket.connect(to: shim.path)
            // More than the socket holds, in answers that repeat the id.
            let id = String(repeating: "x", count: 16_000)
            for number in 0..<200 {
                try peer.writeAll(
                    request(UInt32(2 * number + 1), .state, ProcessRequest.with { $0.id = id }.encoded()))
            }
            try peer.writeAll(request(401, .shutdown, ShutdownRequest.with { $0.id = "s" }.encoded()))
            let deadline = Deadline(after: .seconds(20))
            // Nobody new is listened to, but it has not ended.
            while !deadline.hasPassed, (try? UnixSocket.connect(to: shim.path)) != nil { sleepMilliseconds(20) }
            #expect(!deadline.hasPassed)
            sleepMilliseconds(300)
            let ended = try Process.wait(for: shim.pid, blocks: false)
            #expect(ended?.pid == nil)

            var reader = FrameReader()
            var answers: [(stream: UInt32, code: Int32)] = []
            while !deadline.hasPassed {
                let bytes = try peer.read(upTo: 65536)
                if bytes.isEmpty { break }
                reader.append(bytes)
                while case .frame(let frame)? = try reader.next() {
                    let status = try RPCResponse(decoding: frame.payload).status
                    answers.append((frame.header.stream, status?.code ?? 0))
                }
            }
            #expect(answers.map(\.stream) == (0...200).map { 2 * $0 + 1 })
            let codes = Set(answers.dropLast().map(\.code))
            #expect(codes == [StatusCode.notFound.rawValue])
            #expect(answers.last?.code == 0)
            #expect(try end(of: shim.pid, within: .seconds(20)) == .exited(code: 0))
        }
    }

    @Test("An idle shim ends on SIGTERM")
    func anIdleOneEndsOnASignal() async {
        await #expect(processExitsWith: .success) {
            let shim = try ServedShim()
            let peer = try UnixSocket.connect(to: shim.path)
            // It serves, so it takes signals.
            try peer.writeAll(request(1, .connect, IDRequest.with { $0.id = "s" }.encoded()))
            #expect(try !peer.read(upTo: 10).isEmpty)
            try Process.kill(shim.pid, SIGTERM)
            #expect(try end(of: shim.pid, within: .seconds(20)) == .exited(code: 0))
        }
    }
}

/// A shim that nobody started by its handshake.
private final class ServedShim {
    private let scratch = Scratch()
    let pid: Int32
    var path: String { scratch.path + "/shim" }

    init() throws {
        let listener = try UnixSocket.listen(at: scratch.path + "/shim")
        switch try Process.fork() {
        case .child:
            do {
                let invocation = try Invocation(
                    arguments: ["shim", "-namespace", "n", "-id", "s", "-address", "/nowhere"],
                    environment: ShimEnvironment(variables: ["TTRPC_ADDRESS=/nowhere/containerd"]))
                try Shim(invocation, listener: listener).serve()
            } catch {
                Process.exitNow(1)
            }
            Process.exitNow(0)
        case .parent(let pid): self.pid = pid
        }
    }
}

private func request(_ stream: UInt32, _ method: TaskMethod, _ payload: [UInt8]) -> [UInt8] {
    let request = RPCRequest.with {
        $0.service = ServiceName.task2
        $0.method = method.rawValue
        $0.payload = payload
    }
    return Frame(stream: stream, .request, request.encoded()).encoded
}
