// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import KVM
import Linux
import Testing

/// What KVM refuses is told by the operation's name and what it was asked with.
@Suite struct RefusalTests {
    @Test("A descriptor that is not /dev/kvm is refused")
    func aDescriptorOfSomethingElse() throws {
        let null = FileDescriptor(
            owning: Int32(
                try withPath("/dev/null") { (path) throws(Errno) in
                    try syscall(__NR_openat, CL_AT_FDCWD, path, Int(O_RDWR | O_CLOEXEC))
                }))
        #expect(throws: KVMError.notKVM(Errno(rawValue: ENOTTY))) { try refused(null) }
    }

    @Test("An error names the operation, its operands and the errno")
    func everyErrorReads() {
        #expect(
            "\(KVMError.setMemory(slot: 1, guestAddress: 0x1000, byteCount: 4096, .exists))"
                == "KVM_SET_USER_MEMORY_REGION of slot 1, 4096 bytes at 0x1000: file exists")
        #expect(
            "\(KVMError.missingCapabilities([.interruptDescriptor, .immediateExit]))"
                == "KVM lacks KVM_CAP_IRQFD, KVM_CAP_IMMEDIATE_EXIT")
        #expect(
            "\(KVMError.vcpu(.setLocalAPIC, index: 2, .invalidArgument))"
                == "KVM_SET_LAPIC of vCPU 2: invalid argument")
    }

    @Test(
        "What the kernel refuses is thrown with the operation and its operands",
        .enabled(if: KVMHere.isUsable, "/dev/kvm cannot be opened"))
    func whatTheKernelRefusesIsNamed() throws {
        let toy = try ToyMachine()
        #expect(
            throws: KVMError.setMemory(
                slot: 1, guestAddress: 0x10_0001, byteCount: 4096, .invalidArgument)
        ) { try toy.machine.setMemory(slot: 1, guestAddress: 0x10_0001, byteCount: 4096, hostAddress: 4096) }
        #expect(throws: KVMError.setMemory(slot: 1, guestAddress: 0, byteCount: 4096, .exists)) {
            try toy.machine.setMemory(slot: 1, guestAddress: 0, byteCount: 4096, hostAddress: 4096)
        }
        // No interrupt controller.
        let event = try EventFD()
        #expect(throws: KVMError.self) { try toy.machine.setInterruptLine(1, true) }
        #expect(throws: KVMError.route(gsi: 5, .invalidArgument)) { try toy.route(event, to: 5) }
        #expect(throws: KVMError.signalOnMemory(address: 0xa0000, byteCount: 3, .invalidArgument)) {
            try toy.signal(event, onWriteTo: 0xa0000, byteCount: 3)
        }
        let vcpu = try toy.vcpu([0xf4])
        #expect(throws: KVMError.createVCPU(index: 0, .exists)) { _ = try toy.machine.makeVCPU(index: 0) }
        #expect(throws: KVMError.createVCPU(index: 100_000, .invalidArgument)) {
            _ = try toy.machine.makeVCPU(index: 100_000)
        }
        #expect(throws: KVMError.modelSpecificRegister(0xdead_0000, vcpu: 0)) {
            try vcpu.setModelSpecificRegisters([
                ModelSpecificRegister(0x10, 0), ModelSpecificRegister(0xdead_0000, 0),
            ])
        }
        #expect(throws: KVMError.vcpu(.setLocalAPIC, index: 0, .invalidArgument)) { try vcpu.setLocalAPIC([0]) }
        #expect(throws: KVMError.vcpu(.setExtendedState, index: 0, .invalidArgument)) { try vcpu.setXsave([]) }
    }
}

private func refused(_ descriptor: borrowing FileDescriptor) throws {
    _ = try Hypervisor(try descriptor.duplicate())
}

extension ToyMachine {
    fileprivate func route(_ event: borrowing EventFD, to gsi: UInt32) throws {
        try machine.route(event, to: gsi)
    }

    fileprivate func signal(_ event: borrowing EventFD, onWriteTo address: UInt64, byteCount: UInt32) throws {
        try machine.signal(event, onWriteTo: address, byteCount: byteCount)
    }
}
