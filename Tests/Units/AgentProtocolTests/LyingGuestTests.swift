// SPDX-License-Identifier: Apache-2.0
import Protobuf
import Testing

@testable import AgentProtocol

/// Answers of a guest that lies: what no process can end of, and what a terminal would obey.
struct LyingGuestTests {
    private func answer(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        [8, 1, number << 3 | 2, UInt8(bytes.count)] + bytes
    }

    private func decoded(_ answer: Answer) throws -> Answer {
        var reader = FrameReader()
        reader.append(try AnswerMessage(id: 1, answer: answer).frame())
        return try AnswerMessage(decoding: reader.next() ?? []).answer
    }

    @Test(
        "Exit signals that cannot end a process are refused",
        arguments: [17, 18, 19, 20, 21, 22, 23, 28, 65, 100] as [UInt8])
    func signalsThatEndNobody(signal: UInt8) {
        #expect(throws: MessageError.outOfRange(field: "exited.signal", value: Int64(signal))) {
            try AnswerMessage(decoding: answer(6, [2 << 3, signal]))
        }
    }

    @Test("Exit codes above 255 and exits with both code and signal are refused")
    func codesThatAreNone() {
        #expect(throws: MessageError.outOfRange(field: "exited.code", value: 300)) {
            try AnswerMessage(decoding: answer(6, [1 << 3, 0xac, 0x02]))
        }
        #expect(throws: MessageError.outOfRange(field: "exited.signal", value: 9)) {
            try AnswerMessage(decoding: answer(6, [1 << 3, 1, 2 << 3, 9]))
        }
    }

    @Test("Control characters in text from the guest are replaced")
    func nothingIsSaidThatATerminalObeys() throws {
        let text = "\u{1b}[2Ja\nb\u{7f}\u{9b}31mé\r"
        let clean = "?[2Ja?b??31mé?"
        #expect(
            try decoded(.failure(Failure(stage: text, message: text)))
                == .failure(Failure(stage: clean, message: clean)))
        let entry = ProcessEntry(
            pid: 1, parentPID: 2, uid: 3, startTicks: 4, cpuTicks: 5, terminal: text, command: text)
        var cleanEntry = entry
        (cleanEntry.terminal, cleanEntry.command) = (clean, clean)
        #expect(try decoded(.processes([entry])) == .processes([cleanEntry]))
        #expect(
            try decoded(.statistics([.init(name: text, value: text)]))
                == .statistics([.init(name: clean, value: "?[2Ja\nb??31mé?")]))
    }

    @Test("A failure message of megabytes is cut and marked as cut")
    func whatIsSaidFitsAScreen() throws {
        let long = Failure(stage: "x", message: String(repeating: "é", count: 1 << 20))
        guard case .failure(let failure) = try decoded(.failure(long)) else {
            Issue.record("no failure")
            return
        }
        #expect(failure.message.utf8.count < 5000)
        #expect(failure.message.hasSuffix(" ..."))
    }
}
