// SPDX-License-Identifier: Apache-2.0
public import CLinux

/// A segment register with its hidden part.
public typealias Segment = kvm_segment

extension Segment {
    /// A segment of all 4 GiB, present, of privilege 0.
    ///
    /// - Parameters:
    ///   - type: of the descriptor, Intel SDM 3A 3.4.5.1: 11 is code that may be read, 3 is data that may be written.
    ///   - isLong: code of 64 bits.
    public static func flat(selector: UInt16, type: UInt8, isLong: Bool = false) -> Segment {
        var segment = Segment()
        segment.limit = .max
        segment.selector = selector
        segment.type = type
        segment.present = 1
        segment.s = 1
        segment.g = 1
        segment.l = isLong ? 1 : 0
        segment.db = isLong ? 0 : 1
        return segment
    }

    /// A task state segment, which the processor wants one of: busy, of 32 or 64 bits.
    public static func taskState(selector: UInt16, base: UInt64 = 0) -> Segment {
        var segment = Segment()
        segment.base = base
        segment.limit = 0x67
        segment.selector = selector
        segment.type = 11
        segment.present = 1
        return segment
    }
}
