// SPDX-License-Identifier: Apache-2.0
import Linux

/// The options of an overlay, its directories apart from the others.
public struct OverlayOptions {
    /// Topmost first, their escapes undone.
    public var lower: [String] = []
    /// Layers of which only files' contents are taken, after `::` in the list.
    public var data: [String] = []
    /// The writable layer; nil for an overlay that is read-only.
    public var upper: String?
    /// The working directory of the writable layer, on the same file system.
    public var work: String?
    /// In the order written.
    public var others: [String] = []

    /// The directories that the kernel takes at most, and the bytes of all options.
    private static let layerLimit = 500
    private static let byteLimit = 1 << 20

    /// - Parameter options: as of mount(8), one each; a comma that no backslash stands before parts two.
    public init(_ options: [String]) throws(OverlayError) {
        let byteCount = options.reduce(0) { $0 + $1.utf8.count + 1 }
        guard byteCount <= Self.byteLimit else { throw .mount(.nameTooLong, detail: "") }
        for option in options.flatMap(Self.parted) {
            let parts = option.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(decoding: Array(parts[1]), as: UTF8.self) : ""
            switch String(decoding: Array(parts[0]), as: UTF8.self) {
            case "lowerdir": (lower, data) = Self.layers(value)
            case "upperdir": upper = Self.unescaped(value)
            case "workdir": work = Self.unescaped(value)
            case "lowerdir+", "datadir+": throw .unsupportedOption(option)
            default: others.append(option)
            }
        }
        guard !lower.isEmpty else { throw .optionMissing("lowerdir") }
        if upper != nil, work == nil { throw .optionMissing("workdir") }
        for (option, path) in directories {
            guard path.isAbsolutePath, !path.utf8.contains(0) else {
                throw .relativePath(option: option, path)
            }
        }
        guard lower.count + data.count <= Self.layerLimit else { throw .mount(.tooManyLayers, detail: "") }
        for option in others where option.utf8.contains(0) { throw .unsupportedOption(option) }
    }

    /// Every directory that the options name, with the option's name.
    public var directories: [(option: String, path: String)] {
        lower.map { ("lowerdir", $0) } + data.map { ("lowerdir", $0) } + (upper.map { [("upperdir", $0)] } ?? [])
            + (work.map { [("workdir", $0)] } ?? [])
    }

    private static func parted(_ option: String) -> [String] {
        var words: [[UInt8]] = [[]]
        var isEscaped = false
        for byte in option.utf8 {
            if byte == UInt8(ascii: ","), !isEscaped {
                words.append([])
                continue
            }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
            words[words.count - 1].append(byte)
        }
        return words.filter { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// What a list says: names between colons, a backslash before one that belongs to a name.
    private static func layers(_ list: String) -> (lower: [String], data: [String]) {
        var names: [[UInt8]] = [[]]
        var firstData: Int?
        var isEscaped = false
        for byte in list.utf8 {
            if isEscaped {
                names[names.count - 1].append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: ":") {
                // Two in a row: from here on, data. An empty name goes, as `a::b` has none.
                if names[names.count - 1].isEmpty, names.count > 1 {
                    firstData = firstData ?? names.count - 1
                } else {
                    names.append([])
                }
            } else {
                names[names.count - 1].append(byte)
            }
        }
        let texts = names.map { String(decoding: $0, as: UTF8.self) }.filter { !$0.isEmpty }
        let split = min(firstData ?? texts.count, texts.count)
        return (Array(texts[..<split]), Array(texts[split...]))
    }

    private static func unescaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\\"), !isEscaped {
                isEscaped = true
                continue
            }
            isEscaped = false
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The path with `:`, `,` and `\` escaped, as an option of overlayfs needs it.
    public static func escaped(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            // A comma ends an option of mount(2); overlayfs takes the backslash away again.
            if [UInt8(ascii: "\\"), UInt8(ascii: ":"), UInt8(ascii: ",")].contains(byte) {
                bytes.append(UInt8(ascii: "\\"))
            }
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension Errno {
    /// What the kernel says of more layers than it takes.
    static let tooManyLayers = Errno(rawValue: 22)
}
