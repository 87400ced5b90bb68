/// The name of a container, which is also the name of its folder: 1 to 255 bytes of `A-Z a-z 0-9 _ + - .`,
/// not `.` or `..`. The rule is runc's; the longest a folder's name can be is added to it.
public struct ContainerID: Hashable, Sendable, CustomStringConvertible {
    public static let maximumByteCount = 255

    public let rawValue: String

    public init(_ text: String) throws(RuntimeStateError) {
        guard !text.isEmpty else { throw .emptyID }
        guard text != ".", text != "..", text.utf8.allSatisfy(Self.isAllowed) else { throw .invalidID }
        guard text.utf8.count <= Self.maximumByteCount else { throw .idTooLong(byteCount: text.utf8.count) }
        rawValue = text
    }

    public var description: String { rawValue }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "."):
            true
        default: false
        }
    }
}
