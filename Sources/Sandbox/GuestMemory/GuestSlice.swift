// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// A bounds-checked window on the guest's memory. It must not outlive the GuestMemory it came from: devices
/// hold both, the memory longer.
///
/// Every access is checked against `count` and done once; nothing here hands out the pointer, except
/// ``withBytes(_:)`` where the kernel is to move the bytes.
@safe public struct GuestSlice: @unchecked Sendable {
    // @unchecked: the bytes belong to the guest; readers must expect any value.
    /// In bytes.
    @usableFromInline let base: UnsafeMutableRawPointer
    public let count: Int

    @inlinable
    init(base: UnsafeMutableRawPointer, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    @inlinable @inline(__always)
    func check(_ offset: Int, _ byteCount: Int) throws(GuestMemoryError) {
        guard offset >= 0, byteCount >= 0, offset <= count, byteCount <= count &- offset else {
            throw .outsideSlice(offset: offset, byteCount: byteCount, count: count)
        }
    }

    /// The part of `byteCount` bytes from `offset` on.
    @inlinable
    public func part(from offset: Int, byteCount: Int) throws(GuestMemoryError) -> GuestSlice {
        try check(offset, byteCount)
        return unsafe GuestSlice(base: base + offset, count: byteCount)
    }

    /// A little-endian integer, as virtio and FUSE structures hold them; alignment does not matter.
    @inlinable @inline(__always)
    public func load<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type = Value.self, at offset: Int
    ) throws(GuestMemoryError) -> Value {
        try check(offset, MemoryLayout<Value>.size)
        return unsafe Value(littleEndian: base.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    /// Writes a little-endian integer.
    @inlinable @inline(__always)
    public func store<Value: FixedWidthInteger & BitwiseCopyable>(
        _ value: Value, at offset: Int
    ) throws(GuestMemoryError) {
        try check(offset, MemoryLayout<Value>.size)
        unsafe base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }

    /// Reads an index the guest publishes, virtio 1.2 §2.7.13.3: what it wrote before is seen after.
    @inlinable @inline(__always)
    public func loadAcquire(at offset: Int) throws(GuestMemoryError) -> UInt16 {
        try check(offset, 2)
        return unsafe UInt16(littleEndian: cl_load_acquire_u16(base + offset))
    }

    /// Publishes an index: what was written before is seen by a guest that reads it.
    @inlinable @inline(__always)
    public func storeRelease(_ value: UInt16, at offset: Int) throws(GuestMemoryError) {
        try check(offset, 2)
        unsafe cl_store_release_u16(base + offset, value.littleEndian)
    }

    /// Copies bytes out, to the whole of `buffer`.
    @inlinable
    public func copy(from offset: Int, to buffer: UnsafeMutableRawBufferPointer) throws(GuestMemoryError) {
        try check(offset, buffer.count)
        if let target = buffer.baseAddress { unsafe target.copyMemory(from: base + offset, byteCount: buffer.count) }
    }

    /// Copies the whole of `bytes` in.
    @inlinable
    public func copy(_ bytes: UnsafeRawBufferPointer, to offset: Int) throws(GuestMemoryError) {
        try check(offset, bytes.count)
        if let source = bytes.baseAddress { unsafe (base + offset).copyMemory(from: source, byteCount: bytes.count) }
    }

    /// Whether the window begins on a multiple of `alignment`, a power of two, as it is mapped here: what atomic
    /// access to a ring takes.
    public func isAligned(to alignment: Int) -> Bool {
        unsafe base.argument & (alignment - 1) == 0
    }

    /// The bytes as an array of their own, which no longer changes.
    public func bytes() -> [UInt8] {
        unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: count))
    }

    /// The window as the kernel takes it for readv(2) and its kin. Do not keep it, and do not read a value
    /// through it twice.
    @inlinable @inline(__always)
    public func withBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeMutableRawBufferPointer(start: base, count: count))
    }
}
