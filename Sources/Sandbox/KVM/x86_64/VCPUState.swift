// SPDX-License-Identifier: Apache-2.0
public import CLinux
import Linux

/// The general registers, api.rst 4.11.
public typealias Registers = kvm_regs
/// Segments, control registers, EFER, the local APIC's base: api.rst 4.13.
public typealias SpecialRegisters = kvm_sregs
/// The state of x87 and SSE as FXSAVE has it, api.rst 4.22.
public typealias FloatingPoint = kvm_fpu
/// Pending exceptions, interrupts and NMIs, api.rst 4.31.
public typealias VCPUEvents = kvm_vcpu_events
/// DR0 to DR3, DR6, DR7: api.rst 4.33.
public typealias DebugRegisters = kvm_debugregs
/// XCR0 and its like.
public typealias ExtendedControl = kvm_xcrs

/// One model-specific register and its value.
public struct ModelSpecificRegister: Hashable, Sendable {
    /// Its number, Intel SDM 4.
    public var index: UInt32
    /// All 64 bits.
    public var value: UInt64

    /// A register and what it holds or is to hold.
    public init(_ index: UInt32, _ value: UInt64) {
        self.index = index
        self.value = value
    }
}

/// What a vCPU is doing, api.rst 4.38.
public enum MultiprocessingState: UInt32, Sendable {
    case runnable = 0
    /// Not started yet: waits for INIT.
    case uninitialized = 1
    /// Waits for the start-up interrupt.
    case initReceived = 2
    case halted = 3
    case startupReceived = 4
}

extension VCPU {
    /// KVM_GET_REGS.
    public func registers() throws(KVMError) -> Registers {
        try get(.getRegisters, CL_KVM_GET_REGS, Registers())
    }

    /// KVM_SET_REGS.
    public func setRegisters(_ registers: Registers) throws(KVMError) {
        try set(.setRegisters, CL_KVM_SET_REGS, registers)
    }

    /// KVM_GET_SREGS.
    public func specialRegisters() throws(KVMError) -> SpecialRegisters {
        try get(.getSpecialRegisters, CL_KVM_GET_SREGS, SpecialRegisters())
    }

    /// KVM_SET_SREGS.
    public func setSpecialRegisters(_ registers: SpecialRegisters) throws(KVMError) {
        try set(.setSpecialRegisters, CL_KVM_SET_SREGS, registers)
    }

    /// KVM_GET_FPU.
    public func floatingPoint() throws(KVMError) -> FloatingPoint {
        try get(.getFloatingPoint, CL_KVM_GET_FPU, FloatingPoint())
    }

    /// KVM_SET_FPU.
    public func setFloatingPoint(_ state: FloatingPoint) throws(KVMError) {
        try set(.setFloatingPoint, CL_KVM_SET_FPU, state)
    }

    /// KVM_GET_VCPU_EVENTS.
    public func events() throws(KVMError) -> VCPUEvents {
        try get(.getEvents, CL_KVM_GET_VCPU_EVENTS, VCPUEvents())
    }

    /// KVM_SET_VCPU_EVENTS.
    public func setEvents(_ events: VCPUEvents) throws(KVMError) {
        try set(.setEvents, CL_KVM_SET_VCPU_EVENTS, events)
    }

    /// KVM_GET_DEBUGREGS.
    public func debugRegisters() throws(KVMError) -> DebugRegisters {
        try get(.getDebugRegisters, CL_KVM_GET_DEBUGREGS, DebugRegisters())
    }

    /// KVM_SET_DEBUGREGS.
    public func setDebugRegisters(_ registers: DebugRegisters) throws(KVMError) {
        try set(.setDebugRegisters, CL_KVM_SET_DEBUGREGS, registers)
    }

    /// KVM_GET_XCRS, api.rst 4.44.
    public func extendedControl() throws(KVMError) -> ExtendedControl {
        try get(.getExtendedControl, CL_KVM_GET_XCRS, ExtendedControl())
    }

    /// KVM_SET_XCRS.
    public func setExtendedControl(_ control: ExtendedControl) throws(KVMError) {
        try set(.setExtendedControl, CL_KVM_SET_XCRS, control)
    }

    /// The XSAVE area, api.rst 4.42: 4096 bytes, or more where the host's KVM_CAP_XSAVE2 says so.
    public func xsave() throws(KVMError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: extendedStateByteCount)
        let request = extendedStateByteCount > 4096 ? CL_KVM_GET_XSAVE2 : CL_KVM_GET_XSAVE
        do { try control(descriptor.borrowed, request, with: &bytes) } catch {
            throw .vcpu(.getExtendedState, index: index, error)
        }
        return bytes
    }

    /// - Parameter bytes: what ``xsave()`` gave, on this host or one that has the same features.
    public func setXsave(_ bytes: [UInt8]) throws(KVMError) {
        guard bytes.count == extendedStateByteCount else {
            throw .vcpu(.setExtendedState, index: index, .invalidArgument)
        }
        var copy = bytes
        do { try control(descriptor.borrowed, CL_KVM_SET_XSAVE, with: &copy) } catch {
            throw .vcpu(.setExtendedState, index: index, error)
        }
    }

    /// KVM_GET_MP_STATE; nil for a state that is none of these.
    public func multiprocessingState() throws(KVMError) -> MultiprocessingState? {
        MultiprocessingState(
            rawValue: try get(.getMultiprocessingState, CL_KVM_GET_MP_STATE, kvm_mp_state()).mp_state)
    }

    /// KVM_SET_MP_STATE.
    public func setMultiprocessingState(_ state: MultiprocessingState) throws(KVMError) {
        try set(.setMultiprocessingState, CL_KVM_SET_MP_STATE, kvm_mp_state(mp_state: state.rawValue))
    }

    /// The rate of the guest's time-stamp counter in kHz, KVM_GET_TSC_KHZ.
    public func timestampKilohertz() throws(KVMError) -> Int {
        do { return try control(descriptor.borrowed, CL_KVM_GET_TSC_KHZ) } catch {
            throw .vcpu(.getTimestampFrequency, index: index, error)
        }
    }

    /// KVM_KVMCLOCK_CTRL, api.rst 4.70: tells the guest it was paused, so that its watchdogs don't bark. Before the
    /// first run after a pause. A guest that has not set its clock up yet needs no word of it.
    public func noteClockPause() throws(KVMError) {
        do { try control(descriptor.borrowed, CL_KVM_KVMCLOCK_CTRL) } catch {
            if error == .invalidArgument { return }
            throw .vcpu(.noteClockPause, index: index, error)
        }
    }

    func get<Value: BitwiseCopyable>(
        _ operation: VCPUOperation, _ request: UInt, _ empty: Value
    ) throws(KVMError) -> Value {
        var value = empty
        do { try control(descriptor.borrowed, request, with: &value) } catch {
            throw .vcpu(operation, index: index, error)
        }
        return value
    }

    func set<Value: BitwiseCopyable>(
        _ operation: VCPUOperation, _ request: UInt, _ value: Value
    ) throws(KVMError) {
        var copy = value
        do { try control(descriptor.borrowed, request, with: &copy) } catch {
            throw .vcpu(operation, index: index, error)
        }
    }
}
