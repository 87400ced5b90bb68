import AgentProtocol
import Linux
import Testing

@testable import ProcessProxy

/// fc-proxy itself, before a guest of the test's, and a caller that does not read.
@Suite struct StallTests {
    private static var program: String {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
        return bundle.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/fc-proxy"
    }

    /// A process that has ended with `code`, as the agent tells of it, with more output than anybody takes.
    private func run(stall: Int?, takes: Bool, code: UInt8) throws -> (status: Process.ExitStatus?, byteCount: Int) {
        let control = try UnixSocket.pair()
        let output = try UnixSocket.pair()
        let caller = try FileDescriptor.pipe()
        let null = try FileDescriptor.open("/dev/null", .readWrite)
        var words = ["--container", "c", "--control-fd", "3", "--stdout-fd", "4"]
        if let stall { words += ["--stall-ms", "\(stall)"] }
        let pid = try Process.spawn(
            Self.program, words,
            descriptors: [
                0: null.rawValue, 1: caller.writer.rawValue, 2: null.rawValue, 3: control.second.rawValue,
                4: output.second.rawValue,
            ])
        let agent = control.first
        let guest = output.first
        let reader = caller.reader
        _ = consume control.second
        _ = consume output.second
        _ = consume caller.writer
        try guest.setNonBlocking(true)
        try reader.setNonBlocking(true)

        let most = 1 << 20
        var frames = FrameReader()
        var (given, taken) = (0, 0)
        var hasGivenAll = false
        let block = [UInt8](repeating: 7, count: 4096)
        let deadline = Deadline(after: .seconds(10))
        while !deadline.hasPassed {
            if let ended = try Process.wait(for: pid, blocks: false) { return (ended.status, taken) }
            if let bytes = try? Socket.receive(upTo: 65536, from: agent.rawValue) {
                frames.append(bytes)
                while let message = try? frames.next() {
                    let request = try RequestMessage(decoding: message)
                    guard case .wait(_, isEarly: true) = request.request else { continue }
                    try tell(code, request.id, agent.rawValue)
                }
            }
            if !hasGivenAll, let count = try? Socket.send(block, from: 0, on: guest.rawValue) {
                given += count
                if given >= most {
                    hasGivenAll = true
                    try UnixSocket.shutdownWriting(guest.rawValue)
                    try tell(code, ProcessProxy.firstRequest, agent.rawValue)
                }
            }
            if takes, let bytes = try? reader.read(upTo: 65536) { taken += bytes.count }
            SystemTime.sleep(milliseconds: 1)
        }
        try Process.kill(pid, 9)
        _ = try Process.wait(for: pid)
        return (nil, taken)
    }

    private func tell(_ code: UInt8, _ id: UInt64, _ agent: Int32) throws {
        let exit = ProcessExit(status: .exited(code: code), timeNanoseconds: 0)
        let frame = try AnswerMessage(id: id, answer: .exited(exit)).frame()
        _ = try Socket.send(frame, from: 0, on: agent)
    }

    @Test func outputThatNobodyTakesIsGivenUp() throws {
        let begin = SystemTime.monotonicNanoseconds()
        #expect(try run(stall: 300, takes: false, code: 3).status == .exited(code: 3))
        #expect(SystemTime.monotonicNanoseconds() - begin > 250_000_000)
    }

    @Test func allOfItIsDeliveredToWhoTakesIt() throws {
        let outcome = try run(stall: 5000, takes: true, code: 4)
        #expect(outcome.status == .exited(code: 4))
        #expect(outcome.byteCount > 900_000, "all but what the pipe still held: \(outcome.byteCount)")
    }
}
