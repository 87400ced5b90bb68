// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// How a value is written as the text of an argument, and read again.
public struct ArgumentSyntax<Value: Equatable> {
    let isNumeric: Bool
    let write: (Value) -> String
    /// nil for what ``write`` does not write.
    let read: (String) -> Value?

    init(isNumeric: Bool = false, write: @escaping (Value) -> String, read: @escaping (String) -> Value?) {
        self.isNumeric = isNumeric
        self.write = write
        self.read = read
    }
}

extension UInt64 {
    /// Reads decimal digits alone; nil for anything else, such as a sign, that `UInt64.init` takes.
    public init?(decimal text: some StringProtocol) {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        self.init(text)
    }
}

extension ArgumentSyntax where Value: FixedWidthInteger {
    /// Decimal digits.
    static func number(_ range: ClosedRange<Value>, where isValid: @escaping (Value) -> Bool = { _ in true }) -> Self {
        Self(isNumeric: true, write: { "\($0)" }) { text in
            guard let number = UInt64(decimal: text).flatMap({ Value(exactly: $0) }), range.contains(number),
                isValid(number)
            else { return nil }
            return number
        }
    }
}

extension ArgumentSyntax<String> {
    static func text(where isValid: @escaping (String) -> Bool = { _ in true }) -> Self {
        Self(write: { $0 }) { isValid($0) ? $0 : nil }
    }

    /// So many bytes of UTF-8.
    static func text(byteCount: ClosedRange<Int>) -> Self { text { byteCount.contains($0.utf8.count) } }

    /// An absolute path.
    static var path: Self { text { $0.isAbsolutePath } }
}

extension ArgumentSyntax where Value: RawRepresentable<String> {
    /// One of an enumeration's words.
    static var word: Self { Self(write: \.rawValue) { Value(rawValue: $0) } }
}

extension ArgumentSyntax<RateLimit> {
    /// `SIZE/BURST/MILLISECONDS`: a size of at least 1, and 1 ms to a day.
    static var rateLimit: Self {
        Self(write: { "\($0.size)/\($0.burst)/\(milliseconds($0.refill))" }) { text in
            let numbers = text.split(at: "/", omittingEmptySubsequences: false).map { UInt64(decimal: $0) }
            guard numbers.count == 3, let size = numbers[0], let burst = numbers[1], let refill = numbers[2],
                size > 0, (1...86_400_000).contains(refill)
            else { return nil }
            return RateLimit(size: size, burst: burst, refill: .milliseconds(Int64(refill)))
        }
    }

    /// 0, which is no time to refill in, for what is too long.
    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return (0...86_400).contains(seconds) ? seconds * 1000 + attoseconds / 1_000_000_000_000_000 : 0
    }
}

extension ArgumentSyntax<[UInt8]> {
    /// Six bytes as `52:54:00:12:34:56`. The lowest bit of the first would say that the address is a group's.
    static var stationAddress: Self {
        Self(write: { $0.map(hexadecimal).joined(separator: ":") }) { text in
            let parts = text.split(at: ":", omittingEmptySubsequences: false)
            let bytes = parts.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
            return bytes.count == 6 && parts.count == 6 && bytes[0] & 1 == 0 ? bytes : nil
        }
    }

    /// So many bytes, as lowercase digits.
    static func bytes(_ count: Int) -> Self {
        Self(write: { $0.map(hexadecimal).joined() }) { text in
            let digits = Array(text.utf8)
            guard digits.count == 2 * count else { return nil }
            let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
                UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16)
            }
            return bytes.map(hexadecimal).joined() == text ? bytes : nil
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
