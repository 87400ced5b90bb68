// SPDX-License-Identifier: Apache-2.0
import Linux
import TTRPC

/// What a verb came to.
typealias VerbOutcome = Result<VerbAnswer, Failure>

/// An open descriptor that several may hold; closed when the last lets go.
final class OpenDescriptor {
    let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    var borrowed: BorrowedDescriptor { descriptor.borrowed }
}

/// What a verb answers when it succeeded.
struct VerbAnswer {
    var payload: [UInt8] = []
    /// The pid on the host of the process it made, now this process's child.
    var pid: Int32 = 0
    /// A connection to the guest's agent, greeted.
    var agent: OpenDescriptor?
    /// A writer of the input of the process it made.
    var inputWriter: OpenDescriptor?
    /// The program that takes the output of the process it made: this process's child.
    var logger: Int32?
}

/// How an outcome is written on the channel between a verb's process and the shim: a byte that says which it is, a
/// word (the pid of an answer, the status code of a failure), and the rest to the end of the stream, closed by a byte
/// that says that it is all there. The agent's connection goes with the first byte.
enum VerbChannel {
    /// The most bytes an outcome may have.
    static let limit = 1 << 20
    private static let end: UInt8 = 0xA5

    static func encode(_ outcome: VerbOutcome) -> [UInt8] {
        switch outcome {
        case .success(let answer): [0] + bytes(of: UInt32(bitPattern: answer.pid)) + answer.payload + [end]
        case .failure(let failure):
            [1] + bytes(of: UInt32(truncatingIfNeeded: failure.code.rawValue))
                + Array(failure.message.utf8.prefix(limit / 2)) + [end]
        }
    }

    /// nil where the verb's process ended before it had said all.
    static func decode(_ bytes: [UInt8], agent: OpenDescriptor?) -> VerbOutcome? {
        guard (6...limit).contains(bytes.count), bytes.last == end else { return nil }
        let word = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[1 + $1]) << (8 * $1) }
        let rest = Array(bytes[5..<(bytes.count - 1)])
        if bytes[0] == 0 {
            return .success(VerbAnswer(payload: rest, pid: Int32(bitPattern: word), agent: agent))
        }
        return .failure(
            Failure(StatusCode(rawValue: numericCast(word)), String(decoding: rest, as: UTF8.self)))
    }

    private static func bytes(of word: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
}
