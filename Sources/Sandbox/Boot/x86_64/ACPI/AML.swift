// SPDX-License-Identifier: Apache-2.0
/// ACPI Machine Language, as far as a table of devices takes it: ACPI 6.4 §20.2. Each function gives the bytes of one
/// term; terms are put together by concatenation.
enum AML {
    static func name(_ name: StaticString, _ value: [UInt8]) -> [UInt8] { [0x08] + path(name) + value }

    static func scope(_ name: StaticString, _ terms: [UInt8]) -> [UInt8] {
        [0x10] + packaged(path(name) + terms)
    }

    /// A device with a name of four characters of its own.
    static func device(_ segment: [UInt8], _ terms: [UInt8]) -> [UInt8] {
        [0x5b, 0x82] + packaged(segment + terms)
    }

    /// At most 255 elements.
    static func package(_ elements: [[UInt8]]) -> [UInt8] {
        [0x12] + packaged([UInt8(elements.count)] + elements.flatMap { $0 })
    }

    static func buffer(_ bytes: [UInt8]) -> [UInt8] { [0x11] + packaged(integer(UInt64(bytes.count)) + bytes) }

    /// ASCII without NUL.
    static func string(_ text: StaticString) -> [UInt8] { [0x0d] + ascii(text) + [0] }

    /// In as few bytes as it takes.
    static func integer(_ value: UInt64) -> [UInt8] {
        switch value {
        case 0: [0x00]
        case 1: [0x01]
        case ...0xff: [0x0a, UInt8(value)]
        case ...0xffff: [0x0b] + bytes(of: value, 2)
        case ...0xffff_ffff: [0x0c] + bytes(of: value, 4)
        default: [0x0e] + bytes(of: value, 8)
        }
    }

    /// "PNP0501" and its kind: three letters of 5 bits each and four hexadecimal digits, packed big-endian (§19.3.4).
    static func eisaID(_ text: StaticString) -> [UInt8] {
        let text = ascii(text)
        var id: UInt32 = 0
        for letter in text.prefix(3) { id = id << 5 | UInt32(letter & 0x1f) }
        for digit in text.dropFirst(3) {
            id = id << 4 | UInt32(digit <= UInt8(ascii: "9") ? digit & 0xf : (digit & 0xf) + 9)
        }
        return [0x0c] + bytes(of: UInt64(id.byteSwapped), 4)
    }

    /// A path of segments with dots between, "\" for the root in front. Segments are padded to four characters.
    static func path(_ text: StaticString) -> [UInt8] {
        var text = ascii(text)[...]
        var path: [UInt8] = []
        if text.first == UInt8(ascii: "\\") { path.append(text.removeFirst()) }
        let segments = text.split(separator: UInt8(ascii: "."))
        switch segments.count {
        case 0: path.append(0)
        case 1: break
        case 2: path.append(0x2e)
        default: path += [0x2f, UInt8(segments.count)]
        }
        for segment in segments { path += segment + [UInt8](repeating: UInt8(ascii: "_"), count: 4 - segment.count) }
        return path
    }

    /// A PkgLength in front of what it counts, itself included: 6 bits in one byte, or 4 bits and 8 more for each of
    /// one to three bytes.
    static func packaged(_ body: [UInt8]) -> [UInt8] {
        if body.count + 1 < 1 << 6 { return [UInt8(body.count + 1)] + body }
        for extra in 1...2 where body.count + 1 + extra < 1 << (4 + 8 * extra) {
            return length(body.count + 1 + extra, extra) + body
        }
        return length(body.count + 4, 3) + body
    }

    private static func length(_ count: Int, _ extra: Int) -> [UInt8] {
        [UInt8(extra << 6 | count & 0xf)] + bytes(of: UInt64(count >> 4), extra)
    }

    static func bytes(of value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    // A constant of the program, copied.
    static func ascii(_ text: StaticString) -> [UInt8] { text.withUTF8Buffer { unsafe Array($0) } }
}
