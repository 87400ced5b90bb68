// SPDX-License-Identifier: Apache-2.0
/// Text of others, taken apart by bytes as the kernel and the C library do it. To String a carriage return and the line
/// feed after it are one character, a separator with a combining mark after it is no separator, and unlike spellings of
/// one character are equal. `scripts/lint-text` holds the tree to these.
extension StringProtocol {
    /// As the standard library's, at each byte that is `separator`, an ASCII character.
    public func split(
        at separator: Unicode.Scalar, maxSplits: Int = .max, omittingEmptySubsequences: Bool = true
    ) -> [SubSequence] {
        utf8.split(
            separator: UInt8(ascii: separator), maxSplits: maxSplits,
            omittingEmptySubsequences: omittingEmptySubsequences
        ).map { self[$0.startIndex..<$0.endIndex] }
    }

    /// What stands between white space, isspace(3) in the C locale.
    public var words: [SubSequence] {
        utf8.split { $0 == UInt8(ascii: " ") || (0x09...0x0d).contains($0) }.map { self[$0.startIndex..<$0.endIndex] }
    }

    /// Whether the bytes begin with those of `prefix`.
    public func begins(with prefix: some StringProtocol) -> Bool { utf8.starts(with: prefix.utf8) }

    /// Whether the bytes end with those of `suffix`.
    public func ends(with suffix: some StringProtocol) -> Bool { utf8.reversed().starts(with: suffix.utf8.reversed()) }

    /// Whether the bytes are those of `other`.
    public func isSame(as other: some StringProtocol) -> Bool { utf8.elementsEqual(other.utf8) }

    /// What follows `prefix`; nil where the text does not begin with it.
    public func after(_ prefix: some StringProtocol) -> SubSequence? {
        guard begins(with: prefix) else { return nil }
        return self[utf8.index(startIndex, offsetBy: prefix.utf8.count)...]
    }

    /// What stands before the first `separator`, an ASCII character; all of the text if it has no separator.
    public func before(_ separator: Unicode.Scalar) -> SubSequence {
        self[..<(utf8.firstIndex(of: UInt8(ascii: separator)) ?? endIndex)]
    }
}
