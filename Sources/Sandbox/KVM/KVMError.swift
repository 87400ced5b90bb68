// SPDX-License-Identifier: Apache-2.0
public import Linux

/// What KVM refused: the operation by its ioctl, what it was asked with, and the kernel's answer.
public enum KVMError: Error, Hashable, Sendable {
    /// The descriptor is not one of /dev/kvm: KVM_GET_API_VERSION failed.
    case notKVM(Errno)
    /// Another interface than version 12, the only one there has been since Linux 2.6.22.
    case interfaceVersion(Int)
    case checkCapability(Capability, Errno)
    case missingCapabilities([Capability])
    /// KVM_GET_VCPU_MMAP_SIZE.
    case runAreaSize(Errno)
    /// A vCPU's shared area that is too small for what the interface puts in it.
    case runAreaTooSmall(byteCount: Int)
    /// KVM_GET_SUPPORTED_CPUID.
    case supportedProcessor(Errno)

    case createVirtualMachine(Errno)
    case setMemory(slot: UInt32, guestAddress: UInt64, byteCount: UInt64, Errno)
    case setTaskStateAddress(UInt64, Errno)
    case setIdentityMapAddress(UInt64, Errno)
    case createInterruptController(Errno)
    case createTimer(Errno)
    case setInterruptLine(gsi: UInt32, Errno)
    /// KVM_IRQFD, given or taken back.
    case route(gsi: UInt32, Errno)
    /// KVM_IOEVENTFD on memory, given or taken back.
    case signalOnMemory(address: UInt64, byteCount: UInt32, Errno)
    /// KVM_IOEVENTFD on a port, given or taken back.
    case signalOnPort(UInt16, byteCount: UInt32, Errno)
    case readClock(Errno)
    case setClock(Errno)

    case createVCPU(index: Int, Errno)
    case mapVCPU(index: Int, Errno)
    /// The signal that takes a vCPU's thread out of KVM_RUN could not be given its handler.
    case installSignal(Errno)
    case vcpu(VCPUOperation, index: Int, Errno)
    /// KVM_SET_MSRS or KVM_GET_MSRS stopped at this register: the host has none such.
    case modelSpecificRegister(UInt32, vcpu: Int)
    /// KVM_RUN.
    case run(vcpu: Int, Errno)
    /// The data of an exit would lie outside the area shared with the kernel.
    case exitData(vcpu: Int, offset: UInt64, byteCount: UInt64)
}

/// What is done to one vCPU, by its ioctl.
public enum VCPUOperation: String, Hashable, Sendable {
    case setProcessorFeatures = "KVM_SET_CPUID2"
    case getRegisters = "KVM_GET_REGS"
    case setRegisters = "KVM_SET_REGS"
    case getSpecialRegisters = "KVM_GET_SREGS"
    case setSpecialRegisters = "KVM_SET_SREGS"
    case getFloatingPoint = "KVM_GET_FPU"
    case setFloatingPoint = "KVM_SET_FPU"
    case getExtendedState = "KVM_GET_XSAVE"
    case setExtendedState = "KVM_SET_XSAVE"
    case getExtendedControl = "KVM_GET_XCRS"
    case setExtendedControl = "KVM_SET_XCRS"
    case getModelSpecificRegisters = "KVM_GET_MSRS"
    case setModelSpecificRegisters = "KVM_SET_MSRS"
    case getLocalAPIC = "KVM_GET_LAPIC"
    case setLocalAPIC = "KVM_SET_LAPIC"
    case getMultiprocessingState = "KVM_GET_MP_STATE"
    case setMultiprocessingState = "KVM_SET_MP_STATE"
    case getEvents = "KVM_GET_VCPU_EVENTS"
    case setEvents = "KVM_SET_VCPU_EVENTS"
    case getDebugRegisters = "KVM_GET_DEBUGREGS"
    case setDebugRegisters = "KVM_SET_DEBUGREGS"
    case getTimestampFrequency = "KVM_GET_TSC_KHZ"
    case noteClockPause = "KVM_KVMCLOCK_CTRL"
}

extension KVMError: CustomStringConvertible {
    /// For messages, in English.
    public var description: String {
        switch self {
        case .notKVM(let error): "not a descriptor of /dev/kvm: KVM_GET_API_VERSION: \(error)"
        case .interfaceVersion(let version): "KVM has interface version \(version), not 12"
        case .checkCapability(let capability, let error): "KVM_CHECK_EXTENSION of \(capability): \(error)"
        case .missingCapabilities(let missing):
            "KVM lacks \(missing.map(\.description).joined(separator: ", "))"
        case .runAreaSize(let error): "KVM_GET_VCPU_MMAP_SIZE: \(error)"
        case .runAreaTooSmall(let byteCount): "KVM_GET_VCPU_MMAP_SIZE: \(byteCount) bytes are too few"
        case .supportedProcessor(let error): "KVM_GET_SUPPORTED_CPUID: \(error)"
        case .createVirtualMachine(let error): "KVM_CREATE_VM: \(error)"
        case .setMemory(let slot, let address, let byteCount, let error):
            "KVM_SET_USER_MEMORY_REGION of slot \(slot), \(byteCount) bytes at \(hexadecimal(address)): \(error)"
        case .setTaskStateAddress(let address, let error):
            "KVM_SET_TSS_ADDR to \(hexadecimal(address)): \(error)"
        case .setIdentityMapAddress(let address, let error):
            "KVM_SET_IDENTITY_MAP_ADDR to \(hexadecimal(address)): \(error)"
        case .createInterruptController(let error): "KVM_CREATE_IRQCHIP: \(error)"
        case .createTimer(let error): "KVM_CREATE_PIT2: \(error)"
        case .setInterruptLine(let gsi, let error): "KVM_IRQ_LINE of interrupt \(gsi): \(error)"
        case .route(let gsi, let error): "KVM_IRQFD of interrupt \(gsi): \(error)"
        case .signalOnMemory(let address, let byteCount, let error):
            "KVM_IOEVENTFD on \(byteCount) bytes at \(hexadecimal(address)): \(error)"
        case .signalOnPort(let port, let byteCount, let error):
            "KVM_IOEVENTFD on \(byteCount) bytes at port \(hexadecimal(port)): \(error)"
        case .readClock(let error): "KVM_GET_CLOCK: \(error)"
        case .setClock(let error): "KVM_SET_CLOCK: \(error)"
        case .createVCPU(let index, let error): "KVM_CREATE_VCPU of vCPU \(index): \(error)"
        case .mapVCPU(let index, let error): "mmap of vCPU \(index): \(error)"
        case .installSignal(let error): "sigaction of the signal that interrupts vCPUs: \(error)"
        case .vcpu(let operation, let index, let error): "\(operation.rawValue) of vCPU \(index): \(error)"
        case .modelSpecificRegister(let register, let index):
            "vCPU \(index) has no model-specific register \(hexadecimal(register))"
        case .run(let index, let error): "KVM_RUN of vCPU \(index): \(error)"
        case .exitData(let index, let offset, let byteCount):
            "vCPU \(index) ended with \(byteCount) bytes of data at \(offset), outside its area"
        }
    }
}

private func hexadecimal(_ value: some BinaryInteger) -> String { "0x" + String(value, radix: 16) }
