// SPDX-License-Identifier: Apache-2.0
import Linux

/// The text of one of a cgroup's files, as a guest sends it. It is hostile: what does not have the file's form, or is
/// longer than any kernel makes it, is refused with the file's name and the line's number.
struct CgroupFile {
    private static let byteLimit = 1 << 16
    private static let lineLimit = 1024
    private static let wordByteLimit = 64

    let name: String
    private let lines: [Substring]

    init(_ name: String, _ text: String) throws(CgroupError) {
        self.name = name
        guard text.utf8.count <= Self.byteLimit else { throw .tooLong(file: name) }
        lines = text.split(at: "\n", omittingEmptySubsequences: true)
        guard lines.count <= Self.lineLimit else { throw .tooLong(file: name) }
    }

    /// The only number in the file; 2^64 - 1 for `max`.
    func number() throws(CgroupError) -> UInt64 {
        guard lines.count == 1, let number = lines[0] == "max" ? .max : Self.number(lines[0]) else {
            throw malformed(0)
        }
        return number
    }

    /// Lines of a name and a number.
    func table() throws(CgroupError) -> [String: UInt64] {
        var table: [String: UInt64] = [:]
        for (index, line) in lines.enumerated() {
            let words = line.split(at: " ")
            guard words.count == 2, Self.isName(words[0]), let value = Self.number(words[1]) else {
                throw malformed(index)
            }
            table[String(words[0])] = value
        }
        return table
    }

    /// A line of io.stat: what a device did.
    struct Device {
        var major: UInt64
        var minor: UInt64
        var figures: [String: UInt64]
    }

    /// Lines of `MAJOR:MINOR name=number …`; names whose value is no number are left out, as blk-iocost writes such.
    func devices() throws(CgroupError) -> [Device] {
        var devices: [Device] = []
        for (index, line) in lines.enumerated() {
            let words = line.split(at: " ")
            let number = words.first?.split(at: ":", omittingEmptySubsequences: false) ?? []
            guard number.count == 2, let major = Self.number(number[0]), let minor = Self.number(number[1]) else {
                throw malformed(index)
            }
            var device = Device(major: major, minor: minor, figures: [:])
            for word in words.dropFirst() {
                let pair = word.split(at: "=", omittingEmptySubsequences: false)
                guard pair.count == 2, Self.isName(pair[0]) else { throw malformed(index) }
                if let value = Self.number(pair[1]) { device.figures[String(pair[0])] = value }
            }
            devices.append(device)
        }
        return devices
    }

    /// Lines of `some` and `full`, each `avg10=1.23 avg60=… avg300=… total=…`. By the line's word, then by name;
    /// averages in hundredths of a percent.
    func pressure() throws(CgroupError) -> [String: [String: UInt64]] {
        var pressure: [String: [String: UInt64]] = [:]
        for (index, line) in lines.enumerated() {
            let words = line.split(at: " ")
            guard let word = words.first, Self.isName(word) else { throw malformed(index) }
            var figures: [String: UInt64] = [:]
            for word in words.dropFirst() {
                let pair = word.split(at: "=", omittingEmptySubsequences: false)
                guard pair.count == 2, Self.isName(pair[0]),
                    let value = pair[0].begins(with: "avg") ? Self.hundredths(pair[1]) : Self.number(pair[1])
                else { throw malformed(index) }
                figures[String(pair[0])] = value
            }
            pressure[String(word)] = figures
        }
        return pressure
    }

    private func malformed(_ index: Int) -> CgroupError { .malformed(file: name, line: index + 1) }

    private static func isName(_ word: Substring) -> Bool {
        word.utf8.count <= wordByteLimit
            && word.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || isDigit($0) || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: ".")
            }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Digits alone: no sign, nothing that does not fit 64 bits.
    private static func number(_ text: Substring) -> UInt64? { text.utf8.allSatisfy(isDigit) ? UInt64(text) : nil }

    /// A number with two decimals.
    private static func hundredths(_ text: Substring) -> UInt64? {
        let parts = text.split(at: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == 2, let whole = number(parts[0]), let rest = number(parts[1]),
            whole <= 100
        else { return nil }
        return whole * 100 + rest
    }
}
