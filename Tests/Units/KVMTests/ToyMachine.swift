// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import KVM
import Linux
import Testing

/// A machine with 64 KiB of memory and a few instructions of real mode in it.
@safe final class ToyMachine: @unchecked Sendable {
    // @unchecked: the machine is safe to share, and the memory's place is a constant.
    static let byteCount = 0x10000
    static let codeStart: UInt64 = 0x1000

    let hypervisor: Hypervisor
    let machine: VirtualMachine
    private let base: UnsafeMutableRawPointer

    init(hasInterruptController: Bool = false) throws {
        let opened = FileDescriptor(
            owning: Int32(
                try withPath("/dev/kvm") { (path) throws(Errno) in
                    try syscall(__NR_openat, CL_AT_FDCWD, path, Int(O_RDWR | O_CLOEXEC))
                }))
        let hypervisor = try Hypervisor(opened)
        machine = try hypervisor.makeVirtualMachine()
        self.hypervisor = hypervisor
        let address = try syscall(
            __NR_mmap, 0, Self.byteCount, Int(PROT_READ | PROT_WRITE), Int(MAP_SHARED | MAP_ANONYMOUS), -1, 0)
        // A mapping the kernel just made is never at 0.
        unsafe base = UnsafeMutableRawPointer(bitPattern: address)!
        try machine.setMemory(
            slot: 0, guestAddress: 0, byteCount: UInt64(Self.byteCount), hostAddress: UInt64(address))
        if hasInterruptController { try machine.makeInterruptController() }
    }

    deinit {
        // The machine goes with its last vCPU; by then its memory is nobody's.
        _ = unsafe munmap(base, Self.byteCount)
    }

    func write(_ bytes: [UInt8], at offset: Int) {
        for (index, byte) in bytes.enumerated() where offset + index < Self.byteCount {
            unsafe base.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
        }
    }

    func read(_ count: Int, at offset: Int) -> [UInt8] {
        (offset..<min(offset + count, Self.byteCount)).map { unsafe base.load(fromByteOffset: $0, as: UInt8.self) }
    }

    /// A vCPU that begins with `code`, in real mode, all segments at 0, the stack below 0x8000.
    func vcpu(
        _ code: [UInt8], index: Int = 0, at start: UInt64 = ToyMachine.codeStart
    ) throws -> VCPU {
        write(code, at: Int(start))
        let vcpu = try machine.makeVCPU(index: index)
        var special = try vcpu.specialRegisters()
        special.cs.base = 0
        special.cs.selector = 0
        try vcpu.setSpecialRegisters(special)
        var registers = try vcpu.registers()
        registers.rip = start
        registers.rsp = 0x8000
        registers.rflags = 2
        try vcpu.setRegisters(registers)
        return vcpu
    }
}

/// Why tests that run a guest are skipped, or nil.
enum KVMHere {
    static let isUsable = unsafe access("/dev/kvm", R_OK | W_OK) == 0
}
