// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// struct kvm_run and what follows it: the pages a vCPU shares with the kernel. The guest cannot reach them.
@safe final class RunArea: @unchecked Sendable {
    // @unchecked: constants; of the bytes, only immediate_exit is another thread's to write, and that is atomic.
    private let base: UnsafeMutableRawPointer
    let byteCount: Int

    init(_ vcpu: BorrowedDescriptor, byteCount: Int) throws(Errno) {
        let address = try syscall(
            __NR_mmap, 0, byteCount, Int(PROT_READ | PROT_WRITE), Int(MAP_SHARED), vcpu.argument, 0)
        // A mapping the kernel just made is never at 0.
        unsafe base = UnsafeMutableRawPointer(bitPattern: address)!
        self.byteCount = byteCount
    }

    deinit {
        // Mapped in init, with this length; nobody has an address of it.
        _ = unsafe cl_syscall(Int(__NR_munmap), base.argument, byteCount, 0, 0, 0, 0)
    }

    /// The caller keeps `offset` and the value's size within ``byteCount``: fields by their offsets in struct
    /// kvm_run, which the area was checked to hold, and data whose place was checked at the exit.
    @inline(__always)
    func load<Value: BitwiseCopyable>(_ offset: Int, as type: Value.Type) -> Value {
        assert(offset >= 0 && offset + MemoryLayout<Value>.size <= byteCount)
        // Within the area, as the caller keeps it.
        return unsafe base.loadUnaligned(fromByteOffset: offset, as: type)
    }

    /// As ``load(_:as:)``.
    @inline(__always)
    func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
        assert(offset >= 0 && offset + MemoryLayout<Value>.size <= byteCount)
        // Within the area, as the caller keeps it.
        unsafe base.storeBytes(of: value, toByteOffset: offset, as: Value.self)
    }

    /// Makes this KVM_RUN, or the next, end at once with EINTR.
    func setImmediateExit() {
        // A byte of struct kvm_run, which the area was checked to hold.
        unsafe cl_store_release_u8(base + CL_RUN_IMMEDIATE_EXIT, 1)
    }

    /// Takes that back.
    func clearImmediateExit() {
        // As above.
        _ = unsafe cl_exchange_u8(base + CL_RUN_IMMEDIATE_EXIT, 0)
    }
}
