import Linux

/// The options of an overlay, its directories apart from the others.
struct OverlayOptions {
    /// Topmost first, their escapes undone.
    var lower: [String] = []
    /// Layers of which only files' contents are taken, after `::` in the list.
    var data: [String] = []
    var upper: String?
    var work: String?
    /// In the order written.
    var others: [String] = []

    init(_ options: [String]) throws(TaskRootfsError) {
        for option in options {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(parts[1]) : ""
            switch parts[0] {
            case "lowerdir": (lower, data) = Self.layers(value)
            case "upperdir": upper = Self.unescaped(value)
            case "workdir": work = Self.unescaped(value)
            default: others.append(option)
            }
        }
        guard !lower.isEmpty else { throw .optionMissing("lowerdir", type: "overlay") }
        if upper != nil, work == nil { throw .optionMissing("workdir", type: "overlay") }
        for (option, path) in directories {
            guard path.hasPrefix("/"), !path.utf8.contains(0) else {
                throw .relativePath(what: "mount option \(option):", path)
            }
        }
        for option in others where option.utf8.contains(0) { throw .unsupportedOption(option, type: "overlay") }
    }

    var directories: [(option: String, path: String)] {
        lower.map { ("lowerdir", $0) } + data.map { ("lowerdir", $0) } + (upper.map { [("upperdir", $0)] } ?? [])
            + (work.map { [("workdir", $0)] } ?? [])
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

    static func escaped(_ text: String) -> String {
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
