// SPDX-License-Identifier: Apache-2.0
import Linux

/// What a process has mapped of programs and libraries, from /proc/PID/maps (proc(5)).
struct MappedPrograms {
    /// A piece of a file, and where a process shows it.
    struct Piece: Hashable {
        let addresses: Range<UInt>
        let offset: UInt64
        /// `MAJOR:MINOR inode`, as the kernel writes them.
        let file: [UInt8]
        /// The process may change its copy.
        let isWritable: Bool
    }

    /// Private mappings of files of which something is mapped to be executed: code, constants, and data still unchanged.
    let pieces: [Piece]

    /// - Parameter maps: the file's text. What is cut short, or is not of its form, is left out.
    init(maps: [UInt8]) {
        var all: [Piece] = []
        var programs: Set<[UInt8]> = []
        for line in maps.split(separator: UInt8(ascii: "\n")) {
            // start-end perms offset device inode path
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard fields.count >= 5, let start = Self.hexadecimal(fields[0].prefix { $0 != UInt8(ascii: "-") }),
                let end = Self.hexadecimal(fields[0].drop { $0 != UInt8(ascii: "-") }.dropFirst()),
                let offset = Self.hexadecimal(fields[2]), fields[1].count == 4, start < end,
                fields[1].last == UInt8(ascii: "p"), !fields[4].elementsEqual([UInt8(ascii: "0")])
            else { continue }
            let file = Array(fields[3]) + [UInt8(ascii: " ")] + Array(fields[4])
            if fields[1].contains(UInt8(ascii: "x")) { programs.insert(file) }
            all.append(
                Piece(
                    addresses: UInt(start)..<UInt(end), offset: offset, file: file,
                    isWritable: fields[1].contains(UInt8(ascii: "w"))))
        }
        pieces = all.filter { programs.contains($0.file) }
    }

    private static func hexadecimal(_ digits: some Collection<UInt8>) -> UInt64? {
        guard (1...16).contains(digits.count) else { return nil }
        return UInt64(String(decoding: Array(digits), as: UTF8.self), radix: 16)
    }
}
