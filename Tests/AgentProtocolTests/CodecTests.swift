import SandboxPlan
import Testing

@testable import AgentProtocol

/// The one message in `frame`.
func message(in frame: [UInt8]) throws -> [UInt8] {
    var reader = FrameReader()
    reader.append(frame)
    let message = try #require(try reader.next())
    #expect(reader.pendingByteCount == 0)
    return message
}

struct CodecTests {
    @Test(arguments: Samples.requests)
    func requestComesBack(_ request: Request) throws {
        let sent = RequestMessage(id: .max, request: request)
        #expect(try RequestMessage(decoding: message(in: sent.frame())) == sent)
    }

    @Test(arguments: Samples.answers)
    func answerComesBack(_ answer: Answer) throws {
        let sent = AnswerMessage(id: 7, answer: answer)
        #expect(try AnswerMessage(decoding: message(in: sent.frame())) == sent)
    }

    @Test func streamHelloComesBack() throws {
        let bytes = try message(in: StreamHandshake.hello(Samples.token))
        #expect(try StreamHandshake.token(decoding: bytes) == Samples.token)
        #expect(bytes.count <= StreamHandshake.helloLimit)
    }

    @Test func tokensDiffer() {
        #expect(StreamToken.random() != StreamToken.random())
        #expect(StreamToken([1, 2, 3]) == nil)
    }

    @Test func noMessageHoldsANUL() {
        var plan = Samples.container
        plan.process.arguments = ["a\0b"]
        #expect(throws: AgentProtocolError.containsNUL(field: "process.arguments")) {
            try RequestMessage(id: 1, request: .create(plan, streams: StreamTokens(), isOwned: false)).frame()
        }
        #expect(throws: AgentProtocolError.containsNUL(field: "wait.container_id")) {
            try RequestMessage(id: 1, request: .wait(ProcessName(container: "a\0"))).frame()
        }
    }

    /// Cut anywhere, changed anywhere: an error or another message, never a crash, and what is accepted is
    /// what would be sent.
    @Test func damageIsRefusedOrCanonical() throws {
        for request in Samples.requests {
            let bytes = try message(in: RequestMessage(id: 3, request: request).frame())
            for count in 0..<bytes.count {
                if let cut = try? RequestMessage(decoding: Array(bytes[..<count])) {
                    #expect(try message(in: cut.frame()) == Array(bytes[..<count]))
                }
            }
            for index in bytes.indices {
                for bit in [0, 3, 7] {
                    var damaged = bytes
                    damaged[index] ^= 1 << bit
                    _ = try? RequestMessage(decoding: damaged)
                    _ = try? AnswerMessage(decoding: damaged)
                }
            }
        }
    }
}
