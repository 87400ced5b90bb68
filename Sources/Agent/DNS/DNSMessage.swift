// SPDX-License-Identifier: Apache-2.0
/// Messages of the domain name system, RFC 1035 §4, as far as who hands them on between UDP and TCP looks into them. What is
/// malformed is none of its business, and goes on as it is where that is safe.
public enum DNSMessage {
    /// The least that a message has.
    public static let headerByteCount = 12
    /// What an answer by UDP may have where the query does not say more, RFC 1035 §4.2.1.
    public static let usualLimit = 512
    /// What it may have at most, whatever the query says.
    public static let extendedLimit = 4096

    /// Whether this can be a query: it has a header, and does not say that it is an answer.
    public static func isQuery(_ message: [UInt8]) -> Bool {
        message.count >= headerByteCount && message[2] & 0x80 == 0
    }

    /// How many bytes an answer to `query` by UDP may have: what its OPT record says, RFC 6891 §6.2.3.
    public static func answerLimit(of query: [UInt8]) -> Int {
        guard var offset = endOfQuestions(query) else { return usualLimit }
        for _ in 0..<(number(query, 6) + number(query, 8) + number(query, 10)) {
            guard let record = record(query, at: offset) else { break }
            if query[offset] == 0, record.type == 41 {
                return min(max(record.recordClass, usualLimit), extendedLimit)
            }
            offset = record.end
        }
        return usualLimit
    }

    /// `answer` in `limit` bytes, which are at least ``usualLimit``. Where it has more, it is marked as cut, RFC 2181 §9, and has
    /// of its answers those that fit: some clients know no TCP, and take what there is.
    public static func fitted(_ answer: [UInt8], to limit: Int) -> [UInt8] {
        guard answer.count > limit else { return answer }
        var end = headerByteCount
        var questionCount = 0
        var answerCount = 0
        if let questions = endOfQuestions(answer), questions <= limit {
            end = questions
            questionCount = number(answer, 4)
            while answerCount < number(answer, 6), let record = record(answer, at: end), record.end <= limit {
                end = record.end
                answerCount += 1
            }
        }
        var message = Array(answer[..<end])
        message[2] |= 0x02
        for (offset, count) in [(4, questionCount), (6, answerCount), (8, 0), (10, 0)] {
            message[offset] = UInt8(count >> 8)
            message[offset + 1] = UInt8(count & 0xff)
        }
        return message
    }

    /// The answer to `query` that there is none: SERVFAIL, with its question where that can be told.
    public static func failure(of query: [UInt8]) -> [UInt8] {
        precondition(query.count >= headerByteCount)
        let end = endOfQuestions(query).flatMap { $0 <= usualLimit ? $0 : nil }
        var message = Array(query[..<(end ?? headerByteCount)])
        // An answer of this kind and to this wish for recursion, which there is.
        message[2] = 0x80 | query[2] & 0x79
        message[3] = 0x80 | 2
        if end == nil { (message[4], message[5]) = (0, 0) }
        for offset in 6..<headerByteCount { message[offset] = 0 }
        return message
    }

    /// Where the questions end; nil where they do not, within the message.
    private static func endOfQuestions(_ message: [UInt8]) -> Int? {
        guard message.count >= headerByteCount else { return nil }
        var offset = headerByteCount
        for _ in 0..<number(message, 4) {
            guard let name = endOfName(message, at: offset), name + 4 <= message.count else { return nil }
            offset = name + 4
        }
        return offset
    }

    private static func record(
        _ message: [UInt8], at offset: Int
    ) -> (type: Int, recordClass: Int, end: Int)? {
        guard let name = endOfName(message, at: offset), name + 10 <= message.count else { return nil }
        let end = name + 10 + number(message, name + 8)
        guard end <= message.count else { return nil }
        return (number(message, name), number(message, name + 2), end)
    }

    /// A name is labels, each of which begins with its length, up to an empty one or a pointer, RFC 1035 §4.1.4. A pointer is
    /// not followed.
    private static func endOfName(_ message: [UInt8], at start: Int) -> Int? {
        var offset = start
        while offset < message.count {
            switch message[offset] {
            case 0: return offset + 1
            case 0xc0...: return offset + 2 <= message.count ? offset + 2 : nil
            case 1..<0x40: offset += 1 + Int(message[offset])
            default: return nil
            }
        }
        return nil
    }

    private static func number(_ message: [UInt8], _ offset: Int) -> Int {
        Int(message[offset]) << 8 | Int(message[offset + 1])
    }
}
