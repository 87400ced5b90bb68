#if arch(x86_64)
    import CLinux

    /// What a KVM may have or lack, KVM_CHECK_EXTENSION of api.rst 4.4.
    public struct Capability: RawRepresentable, Hashable, Sendable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }

        public static let interruptController = Capability(rawValue: KVM_CAP_IRQCHIP)
        public static let userMemory = Capability(rawValue: KVM_CAP_USER_MEMORY)
        public static let taskStateAddress = Capability(rawValue: KVM_CAP_SET_TSS_ADDR)
        public static let processorFeatures = Capability(rawValue: KVM_CAP_EXT_CPUID)
        public static let multiprocessingState = Capability(rawValue: KVM_CAP_MP_STATE)
        public static let interruptDescriptor = Capability(rawValue: KVM_CAP_IRQFD)
        public static let writeDescriptor = Capability(rawValue: KVM_CAP_IOEVENTFD)
        public static let identityMapAddress = Capability(rawValue: KVM_CAP_SET_IDENTITY_MAP_ADDR)
        public static let adjustableClock = Capability(rawValue: KVM_CAP_ADJUST_CLOCK)
        public static let extendedState = Capability(rawValue: KVM_CAP_XSAVE)
        public static let immediateExit = Capability(rawValue: KVM_CAP_IMMEDIATE_EXIT)

        public static let timer = Capability(rawValue: KVM_CAP_PIT2)
        public static let deadlineTimer = Capability(rawValue: KVM_CAP_TSC_DEADLINE_TIMER)
        public static let extendedStateSize = Capability(rawValue: KVM_CAP_XSAVE2)
        public static let maximumVCPUs = Capability(rawValue: KVM_CAP_MAX_VCPUS)
        public static let memorySlots = Capability(rawValue: KVM_CAP_NR_MEMSLOTS)

        /// Without these there is no machine. All are in Linux 4.11, of 2017.
        static let needed: [Capability] = [
            .interruptController, .userMemory, .taskStateAddress, .processorFeatures, .multiprocessingState,
            .interruptDescriptor, .writeDescriptor, .identityMapAddress, .adjustableClock, .extendedState,
            .immediateExit,
        ]
    }

    extension Capability: CustomStringConvertible {
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
#endif
