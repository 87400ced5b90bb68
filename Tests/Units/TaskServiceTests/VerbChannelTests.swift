// SPDX-License-Identifier: Apache-2.0
import TTRPC
import Testing

@testable import TaskService

/// What a verb's process says to the shim.
@Suite struct VerbChannelTests {
    @Test("An answer survives encoding and decoding")
    func anAnswerComesThrough() throws {
        let bytes = VerbChannel.encode(.success(VerbAnswer(payload: [1, 0xA5, 3], pid: 70_000)))
        let answer = try #require(VerbChannel.decode(bytes, agent: nil)).get()
        #expect(answer.payload == [1, 0xA5, 3])
        #expect(answer.pid == 70_000)
        #expect(answer.agent == nil)
    }

    @Test("A failure survives encoding and decoding")
    func aFailureComesThrough() {
        let failure = Failure(.alreadyExists, "container c: already exists")
        guard case .failure(failure) = VerbChannel.decode(VerbChannel.encode(.failure(failure)), agent: nil) else {
            Issue.record("another failure")
            return
        }
    }

    @Test("A failure message beyond the limit is cut")
    func longTextsAreCut() throws {
        let failure = Failure(.unknown, String(repeating: "x", count: 3 * VerbChannel.limit))
        let bytes = VerbChannel.encode(.failure(failure))
        #expect(bytes.count <= VerbChannel.limit)
        #expect(VerbChannel.decode(bytes, agent: nil) != nil)
    }

    /// The process was killed in the midst of it.
    @Test("A truncated or overlong message is no answer")
    func whatIsCutShortIsNoAnswer() {
        let bytes = VerbChannel.encode(.success(VerbAnswer(payload: [1, 2, 3], pid: 7)))
        for count in 0..<bytes.count { #expect(VerbChannel.decode(Array(bytes[..<count]), agent: nil) == nil) }
        #expect(VerbChannel.decode([UInt8](repeating: 0xA5, count: VerbChannel.limit + 1), agent: nil) == nil)
    }
}
