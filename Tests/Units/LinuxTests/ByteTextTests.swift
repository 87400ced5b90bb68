// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@Suite("Linux: text as bytes") struct ByteTextTests {
    @Test("Text splits at the separator byte, whatever Unicode joins to it")
    func linesEndAtLineFeedsOnly() {
        #expect("a\r\nb\n".split(at: "\n") == ["a\r", "b"])
        #expect("a:\u{301}b".split(at: ":").map { Array($0.utf8) } == [Array("a".utf8), Array("\u{301}b".utf8)])
        #expect("a::b".split(at: ":", omittingEmptySubsequences: false) == ["a", "", "b"])
        #expect("a=b=c"[...].split(at: "=", maxSplits: 1) == ["a", "b=c"])
    }

    @Test("Words are separated by ASCII white space alone")
    func wordsAreWhatIsBetweenWhiteSpace() {
        #expect(" a\t b\r\nc\u{b}\n".words == ["a", "b", "c"])
        // A space that only Unicode calls one.
        #expect("a\u{a0}b".words.count == 1)
    }

    @Test("Prefixes, suffixes and separators are compared byte by byte")
    func prefixesAndSuffixes() {
        #expect("HOME=\u{301}x".begins(with: "HOME="))
        #expect("HOME=\u{301}x".after("HOME=")?.utf8.elementsEqual("\u{301}x".utf8) == true)
        #expect("HOM".after("HOME=") == nil)
        #expect("a\r\n".ends(with: "\n"))
        #expect(!"a".ends(with: "aa"))
        #expect("A=\u{301}".before("=") == "A")
        #expect("none".before("=") == "none")
    }

    @Test("Canonically equivalent spellings differ where bytes are compared")
    func unlikeSpellingsDiffer() {
        #expect("\u{e9}" == "e\u{301}")
        #expect(!"\u{e9}".isSame(as: "e\u{301}"))
        #expect(!"\u{e9}x".begins(with: "e\u{301}"))
    }
}
