// SPDX-License-Identifier: Apache-2.0
import Linux

/// Sizes as Docker's units package reads them, which is runc's: a decimal number and a unit of 1024, `512m`, `1.5GiB`,
/// `64 kb`, or bytes.
enum ByteSize {
    private static let units: [Character: UInt64] = [
        "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50,
    ]

    /// nil where the text is none, or more than 2^63 - 1 bytes.
    static func parse(_ text: String) -> Int64? {
        let isOfNumber = { (character: Character) in "0123456789.".contains(character) }
        let number = text.prefix(while: isOfNumber)
        var unit = text.dropFirst(number.count).lowercased()
        if unit.begins(with: " ") { unit.removeFirst() }
        let scale: UInt64
        switch unit.count {
        case 0: scale = 1
        case 1...3:
            let first = unit.removeFirst()
            guard let known = units[first], unit.isEmpty || first != "b" && (unit == "b" || unit == "ib") else {
                return nil
            }
            scale = known
        default: return nil
        }
        let parts = number.split(at: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = UInt64(parts[0].isEmpty ? "0" : parts[0]),
            parts.contains(where: { !$0.isEmpty })
        else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: scale)
        if overflow { return nil }
        // Less than a byte is dropped.
        var fraction = 0.0
        if parts.count == 2, !parts[1].isEmpty {
            guard let value = Double("0.\(parts[1])") else { return nil }
            fraction = value * Double(scale)
        }
        let (sum, carry) = product.addingReportingOverflow(UInt64(fraction))
        return carry ? nil : Int64(exactly: sum)
    }
}
