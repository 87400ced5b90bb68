// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import DNS

@Suite("DNS: messages between UDP and TCP")
struct DNSMessageTests {
    /// 0x1234, with recursion desired, and one question for web.net, A.
    private func query(additional: [UInt8] = [], count: UInt8 = 0) -> [UInt8] {
        [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, count] + Self.question + additional
    }

    private static let question: [UInt8] = [3] + Array("web".utf8) + [3] + Array("net".utf8) + [0, 0, 1, 0, 1]
    private static let answer: [UInt8] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 2, 88, 0, 4, 10, 0, 0, 2]

    private func answer(count: Int, tail: [UInt8] = []) -> [UInt8] {
        let header: [UInt8] = [0x12, 0x34, 0x81, 0x80, 0, 1, UInt8(count >> 8), UInt8(count & 255), 0, 0, 0, 1]
        return header + Self.question + (0..<count).flatMap { _ in Self.answer } + tail
    }

    private func option(_ byteCount: UInt16) -> [UInt8] {
        [0, 0, 41, UInt8(byteCount >> 8), UInt8(byteCount & 255), 0, 0, 0, 0, 0, 0]
    }

    @Test(
        "An answer may have 512 bytes, or what the query's OPT record says, between 512 and 4096",
        arguments: [(0, 512), (100, 512), (1232, 1232), (4096, 4096), (65535, 4096)] as [(UInt16, Int)])
    func theQuerySaysHowMuch(said: UInt16, limit: Int) {
        #expect(DNSMessage.answerLimit(of: query()) == 512)
        #expect(DNSMessage.answerLimit(of: query(additional: option(said), count: 1)) == limit)
        // Behind another record it counts as well.
        #expect(DNSMessage.answerLimit(of: query(additional: Self.answer + option(said), count: 2)) == limit)
        // Counted wrongly it does not.
        #expect(DNSMessage.answerLimit(of: query(additional: option(said), count: 0)) == 512)
    }

    @Test("An answer that fits is as it was, and one that does not keeps whole records and says that it is cut")
    func tooLongIsCut() {
        let short = answer(count: 3, tail: option(1232))
        #expect(DNSMessage.fitted(short, to: 512) == short)
        let long = answer(count: 40, tail: option(1232))
        let cut = DNSMessage.fitted(long, to: 512)
        // The header and the question have 25 bytes, an answer 16.
        #expect(cut.count == 25 + 30 * 16)
        #expect(cut[2] == 0x83 && cut[3] == 0x80)
        #expect(Array(cut[4..<12]) == [0, 1, 0, 30, 0, 0, 0, 0])
        #expect(Array(cut[12...]) == Array(long[12..<cut.count]))
        #expect(DNSMessage.fitted(long, to: 1232) == long)
    }

    @Test("An answer whose question does not end is cut to its header")
    func whatCannotBeReadIsCutToItsHeader() {
        let broken = [0x12, 0x34, 0x81, 0x80, 0, 2, 0, 1, 0, 1, 0, 1] + [UInt8](repeating: 63, count: 600)
        #expect(
            DNSMessage.fitted(broken, to: 512) == [0x12, 0x34, 0x83, 0x80] + [UInt8](repeating: 0, count: 8))
    }

    @Test("A failure answers the query's question with SERVFAIL")
    func aFailureIsAnAnswer() {
        let failure = DNSMessage.failure(of: query(additional: option(1232), count: 1))
        #expect(failure == [0x12, 0x34, 0x81, 0x82, 0, 1, 0, 0, 0, 0, 0, 0] + Self.question)
        #expect(!DNSMessage.isQuery(failure))
        let broken = Array(query().dropLast())
        #expect(
            DNSMessage.failure(of: broken) == [0x12, 0x34, 0x81, 0x82] + [UInt8](repeating: 0, count: 8))
    }

    @Test("Less than a header, or an answer, is no query")
    func whatIsNoQuery() {
        #expect(DNSMessage.isQuery(query()))
        #expect(!DNSMessage.isQuery(Array(query()[..<11])))
        #expect(!DNSMessage.isQuery(answer(count: 1)))
        #expect(!DNSMessage.isQuery([]))
    }

    @Test("Cut anywhere or changed anywhere, a message is read without harm")
    func damageDoesNoHarm() {
        let messages = [query(additional: option(1232), count: 1), answer(count: 40)]
        for message in messages {
            for count in message.indices { look(Array(message[..<count])) }
            for index in message.indices.prefix(80) {
                for value in [0, 0x3f, 0x40, 0x80, 0xc0, 0xff] as [UInt8] {
                    var damaged = message
                    damaged[index] = value
                    look(damaged)
                }
            }
        }
    }

    private func look(_ message: [UInt8]) {
        #expect((512...4096).contains(DNSMessage.answerLimit(of: message)))
        #expect(DNSMessage.fitted(message, to: 512).count <= 512)
        if DNSMessage.isQuery(message) { #expect(DNSMessage.failure(of: message).count <= 512) }
    }
}
