// SPDX-License-Identifier: Apache-2.0
import Glibc
public import GuestMemory
public import Linux

/// A guest's memory in a memfd, and a simple allocator on it: what a driver's buffers come from.
public final class MockMemory {
    /// A run of guest memory, known by its address and at hand as a slice.
    public struct Buffer {
        public let address: GuestAddress
        public let slice: GuestSlice
        public var byteCount: Int { slice.count }
    }

    public let guest: GuestMemory
    /// What a front-end hands to its back-end.
    public let piece: GuestMemory.Piece
    public let file: FileDescriptor
    private var next: UInt64
    private var spare: [Int: [Buffer]] = [:]

    /// - Parameter start: where the guest has it. The default is not 0, so that an address is no offset.
    public init(byteCount: UInt64 = 16 << 20, start: UInt64 = 0x4000_0000) throws {
        file = try FileDescriptor.memory(named: "guest")
        guard ftruncate(file.rawValue, Int(byteCount)) == 0 else { throw Errno(rawValue: errno) }
        piece = GuestMemory.Piece(
            start: GuestAddress(rawValue: start), byteCount: byteCount, file: file.borrowed,
            frontEndStart: 0x7f12_0000_0000)
        guest = try GuestMemory([piece])
        next = start
    }

    /// Fresh memory, zeroed where it never was in use.
    public func allocate(_ byteCount: Int, alignment: UInt64 = 16) throws -> Buffer {
        if alignment <= 16, let buffer = spare[byteCount]?.popLast() { return buffer }
        let address = GuestAddress(rawValue: (next + alignment - 1) & ~(alignment - 1))
        let slice = try guest.slice(at: address, byteCount: UInt64(byteCount))
        next = address.rawValue + UInt64(byteCount)
        return Buffer(address: address, slice: slice)
    }

    /// Memory that holds `bytes`.
    public func allocate(_ bytes: [UInt8]) throws -> Buffer {
        let buffer = try allocate(bytes.count)
        unsafe try bytes.withUnsafeBytes { try unsafe buffer.slice.copy($0, to: 0) }
        return buffer
    }

    /// Gives a buffer back, for the next of the same size.
    public func free(_ buffer: Buffer) {
        spare[buffer.byteCount, default: []].append(buffer)
    }
}
