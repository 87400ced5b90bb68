// SPDX-License-Identifier: Apache-2.0
import Protobuf
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

@Suite("AgentProtocol: encoding")
struct CodecTests {
    @Test("Every request decodes to what was encoded", arguments: Samples.requests)
    func requestComesBack(_ request: Request) throws {
        let sent = RequestMessage(id: .max, request: request)
        #expect(try RequestMessage(decoding: message(in: sent.frame())) == sent)
    }

    @Test("Every answer decodes to what was encoded", arguments: Samples.answers)
    func answerComesBack(_ answer: Answer) throws {
        let sent = AnswerMessage(id: 7, answer: answer)
        #expect(try AnswerMessage(decoding: message(in: sent.frame())) == sent)
    }

    @Test("A stream hello decodes to its token and fits its limit")
    func streamHelloComesBack() throws {
        let bytes = try message(in: StreamHandshake.hello(Samples.token))
        #expect(try StreamHandshake.token(decoding: bytes) == Samples.token)
        #expect(bytes.count <= StreamHandshake.helloLimit)
    }

    @Test("Random tokens differ, and a token of the wrong length is rejected")
    func tokensDiffer() {
        #expect(StreamToken.random() != StreamToken.random())
        #expect(StreamToken([1, 2, 3]) == nil)
    }

    @Test("A message with a NUL in a string is refused when encoded")
    func noMessageHoldsANUL() {
        var plan = Samples.container
        plan.process.arguments = ["a\0b"]
        #expect(throws: MessageError.containsNUL(field: "process.arguments")) {
            try RequestMessage(id: 1, request: .create(plan, streams: StreamTokens(), isOwned: false)).frame()
        }
        #expect(throws: MessageError.containsNUL(field: "wait.container_id")) {
            try RequestMessage(id: 1, request: .wait(ProcessName(container: "a\0"))).frame()
        }
    }

    /// Cut anywhere, changed anywhere: an error or another message, never a crash, and what is accepted is
    /// what would be sent.
    @Test("A truncated message is refused or canonical, and flipped bits never crash")
    func damageIsRefusedOrCanonical() throws {
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

@Suite("AgentProtocol: socket greetings and tokens")
struct SocketGreetingTests {
    @Test("A greeting is little-endian and decodes only at its exact length")
    func itIsItsBytes() throws {
        let greeting = SocketGreeting(token: .random(), uid: 0x0102_0304, gid: 4_294_967_295)
        #expect(greeting.bytes.count == SocketGreeting.byteCount)
        #expect(Array(greeting.bytes[16...]) == [4, 3, 2, 1, 255, 255, 255, 255])
        #expect(SocketGreeting(greeting.bytes) == greeting)
        #expect(SocketGreeting(greeting.bytes + [0]) == nil)
        #expect(SocketGreeting(Array(greeting.bytes.dropLast())) == nil)
    }

    @Test("A token survives its hexadecimal form, and malformed hexadecimal is rejected")
    func aTokenIsAWord() throws {
        let token = StreamToken.random()
        #expect(StreamToken(hexadecimal: token.hexadecimal) == token)
        for text in [
            "", "0", String(repeating: "0", count: 31), String(repeating: "+1", count: 16), token.hexadecimal + "00",
        ] {
            #expect(StreamToken(hexadecimal: text) == nil)
        }
    }
}
