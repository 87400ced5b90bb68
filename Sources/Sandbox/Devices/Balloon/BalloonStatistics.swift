// SPDX-License-Identifier: Apache-2.0
internal import Virtio

/// Figures of its memory that a guest told, virtio 1.2 §5.5.6.4. They are the guest's word, and no more.
public struct BalloonStatistics: Equatable, Sendable {
    /// What there is, by tag; later ones are left out.
    public enum Figure: UInt16, CaseIterable, Sendable {
        case swappedInBytes = 0
        case swappedOutBytes
        case majorFaults
        case minorFaults
        case freeBytes
        case totalBytes
        case availableBytes
        case cachedBytes
        case hugePageAllocations
        case hugePageFailures

        var name: String {
            switch self {
            case .swappedInBytes: "guest_swapped_in_bytes"
            case .swappedOutBytes: "guest_swapped_out_bytes"
            case .majorFaults: "guest_major_faults"
            case .minorFaults: "guest_minor_faults"
            case .freeBytes: "guest_free_bytes"
            case .totalBytes: "guest_total_bytes"
            case .availableBytes: "guest_available_bytes"
            case .cachedBytes: "guest_cached_bytes"
            case .hugePageAllocations: "guest_huge_page_allocations"
            case .hugePageFailures: "guest_huge_page_failures"
            }
        }
    }

    private var values: [Figure: UInt64] = [:]

    /// struct virtio_balloon_stat, packed: a tag of two bytes and a value of eight.
    static let entryByteCount = 10
    /// More than any driver has; the rest of an answer is not read.
    static let entryLimit = 64

    /// Nothing told yet.
    public init() {}

    /// Reads an answer; half an entry at its end counts for nothing.
    init(_ bytes: [UInt8]) {
        for start in stride(from: 0, through: bytes.count - Self.entryByteCount, by: Self.entryByteCount) {
            let tag = UInt16(bytes[start]) | UInt16(bytes[start + 1]) << 8
            guard let figure = Figure(rawValue: tag) else { continue }
            values[figure] = (0..<8).reduce(0) { $0 | UInt64(bytes[start + 2 + $1]) << (8 * $1) }
        }
    }

    /// The figure, where the guest told it.
    public subscript(_ figure: Figure) -> UInt64? { values[figure] }

    var metrics: [Metric] { Figure.allCases.compactMap { figure in values[figure].map { Metric(figure.name, $0) } } }
}
