/// The rule for ids and namespaces: containerd's own (1 to 76 bytes of letters, digits and single `.`, `_` or `-`
/// between them), but that those may stand together. So no id is a path, hidden, or an option of a command.
public enum Identifier {
    public static let byteLimit = 76

    /// - Parameter what: what an error calls it.
    public static func check(_ text: String, _ what: String) throws(HandshakeError) {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, let last = bytes.last, bytes.count <= byteLimit, isAlphanumeric(first),
            isAlphanumeric(last), bytes.allSatisfy({ isAlphanumeric($0) || isSeparator($0) })
        else { throw .identifier(what: what, text) }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
}
