// SPDX-License-Identifier: Apache-2.0
public import GuestMemory

/// Slices of guest memory taken as one run of bytes.
extension [GuestSlice] {
    /// Of all slices.
    public var byteCount: Int { reduce(0) { $0 + $1.count } }

    /// The `byteCount` bytes from `offset` on, or all there are where that is fewer.
    public func part(from offset: Int, byteCount: Int) -> [GuestSlice] {
        var parts: [GuestSlice] = []
        var skip = offset
        var wanted = byteCount
        for slice in self where wanted > 0 {
            if skip >= slice.count {
                skip -= slice.count
                continue
            }
            let count = Swift.min(wanted, slice.count - skip)
            // Both bounds were just held against the slice.
            guard count > 0, let part = try? slice.part(from: skip, byteCount: count) else { continue }
            parts.append(part)
            wanted -= count
            skip = 0
        }
        return parts
    }

    /// A copy of the first `byteCount` bytes, or nil where there are fewer.
    func copyOfFirst(_ byteCount: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        for part in part(from: 0, byteCount: byteCount) { bytes += part.bytes() }
        return bytes.count == byteCount ? bytes : nil
    }

    /// Copies `bytes` to the front.
    func store(_ bytes: [UInt8]) throws(GuestMemoryError) {
        var start = 0
        for slice in part(from: 0, byteCount: bytes.count) {
            for index in 0..<slice.count { try slice.store(bytes[start + index], at: index) }
            start += slice.count
        }
    }
}
