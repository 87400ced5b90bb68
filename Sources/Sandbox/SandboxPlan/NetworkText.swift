// SPDX-License-Identifier: Apache-2.0

extension IPAddress: CustomStringConvertible {
    /// As people write it: RFC 5952 for version 6, without its mixed form.
    public var description: String {
        guard isVersion6 else { return bytes.map { "\($0)" }.joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        // The longest run of zeroes, and the first of those, where it is more than one.
        var longest = 0..<0
        var start = 0
        while start < 8 {
            let end = groups[start...].firstIndex { $0 != 0 } ?? 8
            if end - start > max(longest.count, 1) { longest = start..<end }
            start = max(end, start + 1)
        }
        func text(_ groups: ArraySlice<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        if longest.isEmpty { return text(groups[...]) }
        return text(groups[..<longest.lowerBound]) + "::" + text(groups[longest.upperBound...])
    }
}

extension IPPrefix: CustomStringConvertible {
    /// The address, a slash, and the length.
    public var description: String { "\(address)/\(length)" }

    /// With the bits zero that do not count.
    public var network: IPPrefix {
        let bytes = address.bytes.enumerated().map { index, byte in
            byte & UInt8(truncatingIfNeeded: 0xff00 >> min(max(Int(length) - 8 * index, 0), 8))
        }
        // As many bytes as there were.
        return IPAddress(bytes).flatMap { IPPrefix($0, length: length) } ?? self
    }
}
