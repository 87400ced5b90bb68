// SPDX-License-Identifier: Apache-2.0
import CLinux

/// What a KVM may have or lack, KVM_CHECK_EXTENSION of api.rst 4.4.
public struct Capability: RawRepresentable, Hashable, Sendable {
    /// The number of <linux/kvm.h>.
    public let rawValue: Int32
    /// Any number: what it means is the kernel's to say.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// KVM_CREATE_IRQCHIP.
    public static let interruptController = Capability(rawValue: KVM_CAP_IRQCHIP)
    /// KVM_SET_USER_MEMORY_REGION.
    public static let userMemory = Capability(rawValue: KVM_CAP_USER_MEMORY)
    /// KVM_SET_TSS_ADDR, for Intel's processors.
    public static let taskStateAddress = Capability(rawValue: KVM_CAP_SET_TSS_ADDR)
    /// KVM_GET_SUPPORTED_CPUID and KVM_SET_CPUID2.
    public static let processorFeatures = Capability(rawValue: KVM_CAP_EXT_CPUID)
    /// KVM_GET_MP_STATE and KVM_SET_MP_STATE.
    public static let multiprocessingState = Capability(rawValue: KVM_CAP_MP_STATE)
    /// KVM_IRQFD.
    public static let interruptDescriptor = Capability(rawValue: KVM_CAP_IRQFD)
    /// KVM_IOEVENTFD.
    public static let writeDescriptor = Capability(rawValue: KVM_CAP_IOEVENTFD)
    /// KVM_SET_IDENTITY_MAP_ADDR, for Intel's processors.
    public static let identityMapAddress = Capability(rawValue: KVM_CAP_SET_IDENTITY_MAP_ADDR)
    /// KVM_GET_CLOCK and KVM_SET_CLOCK.
    public static let adjustableClock = Capability(rawValue: KVM_CAP_ADJUST_CLOCK)
    /// KVM_GET_XSAVE and KVM_SET_XSAVE.
    public static let extendedState = Capability(rawValue: KVM_CAP_XSAVE)
    /// The flag of struct kvm_run that ends KVM_RUN at once.
    public static let immediateExit = Capability(rawValue: KVM_CAP_IMMEDIATE_EXIT)

    /// KVM_CREATE_PIT2.
    public static let timer = Capability(rawValue: KVM_CAP_PIT2)
    /// The local APIC's deadline timer.
    public static let deadlineTimer = Capability(rawValue: KVM_CAP_TSC_DEADLINE_TIMER)
    /// KVM_GET_XSAVE2; the value is its bytes.
    public static let extendedStateSize = Capability(rawValue: KVM_CAP_XSAVE2)
    /// The value is how many vCPUs one machine may have.
    public static let maximumVCPUs = Capability(rawValue: KVM_CAP_MAX_VCPUS)
    /// The value is how many slots of memory one machine may have.
    public static let memorySlots = Capability(rawValue: KVM_CAP_NR_MEMSLOTS)

    /// Without these, and those that the architecture adds, there is no machine. All are in Linux 4.11, of 2017.
    static let needed: [Capability] = [
        .interruptController, .userMemory, .multiprocessingState, .interruptDescriptor, .writeDescriptor,
        .immediateExit,
    ]
}

extension Capability: CustomStringConvertible {
    /// For messages, in English.
    public var description: String {
        switch self {
        case .interruptController: "KVM_CAP_IRQCHIP"
        case .userMemory: "KVM_CAP_USER_MEMORY"
        case .taskStateAddress: "KVM_CAP_SET_TSS_ADDR"
        case .processorFeatures: "KVM_CAP_EXT_CPUID"
        case .multiprocessingState: "KVM_CAP_MP_STATE"
        case .interruptDescriptor: "KVM_CAP_IRQFD"
        case .writeDescriptor: "KVM_CAP_IOEVENTFD"
        case .identityMapAddress: "KVM_CAP_SET_IDENTITY_MAP_ADDR"
        case .adjustableClock: "KVM_CAP_ADJUST_CLOCK"
        case .extendedState: "KVM_CAP_XSAVE"
        case .immediateExit: "KVM_CAP_IMMEDIATE_EXIT"
        case .timer: "KVM_CAP_PIT2"
        case .deadlineTimer: "KVM_CAP_TSC_DEADLINE_TIMER"
        case .extendedStateSize: "KVM_CAP_XSAVE2"
        case .maximumVCPUs: "KVM_CAP_MAX_VCPUS"
        case .memorySlots: "KVM_CAP_NR_MEMSLOTS"
        default: "KVM capability \(rawValue)"
        }
    }
}
