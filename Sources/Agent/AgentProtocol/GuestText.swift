// SPDX-License-Identifier: Apache-2.0
/// What a guest says is shown to people: nothing in it may be obeyed by a terminal, or fill a screen.
enum GuestText {
    /// The most bytes of one line for a person.
    static let lineLimit = 4096

    /// `text` with a question mark for each control character (C0 without what `keepsLines` keeps, DEL, and C1 as UTF-8
    /// has it), as ps(1) shows them.
    static func printable(_ text: String, keepsLines: Bool = false) -> String {
        var bytes: [UInt8] = []
        var isClean = true
        var last: UInt8 = 0
        for byte in text.utf8 {
            let isLine = keepsLines && (byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\t"))
            if last == 0xc2, (0x80...0x9f).contains(byte) {
                bytes[bytes.count - 1] = UInt8(ascii: "?")
                isClean = false
            } else if byte == 0x7f || byte < 0x20 && !isLine {
                bytes.append(UInt8(ascii: "?"))
                isClean = false
            } else {
                bytes.append(byte)
            }
            last = byte
        }
        return isClean ? text : String(decoding: bytes, as: UTF8.self)
    }

    /// One printable line of bounded length.
    static func line(_ text: String) -> String {
        let isLong = text.utf8.count > lineLimit
        // A character that is cut through becomes the replacement character.
        return printable(isLong ? String(decoding: text.utf8.prefix(lineLimit), as: UTF8.self) + " ..." : text)
    }
}
