// SPDX-License-Identifier: Apache-2.0
import CLinux

/// The processors of an x86-64 machine: the host's, less what a sandbox has no use for.
public struct GuestProcessors: ProcessorPlatform {
    private let features: ProcessorFeatures

    /// As ``ProcessorPlatform/neededCapabilities``.
    public static let neededCapabilities: [Capability] = [
        .taskStateAddress, .processorFeatures, .identityMapAddress, .adjustableClock, .extendedState,
    ]

    /// As ``ProcessorPlatform/prepare(_:)``.
    public static func prepare(_ machine: VirtualMachine) throws(KVMError) { try machine.makeInterruptController() }

    /// As ``ProcessorPlatform/init(_:)``.
    public init(_ hypervisor: borrowing Hypervisor) throws(KVMError) {
        features = try hypervisor.supportedProcessor().offered()
    }

    /// As ``ProcessorPlatform/configure(_:count:)``.
    public func configure(_ processor: VCPU, count: Int) throws(KVMError) {
        try processor.configure(features, count: count)
        try processor.setModelSpecificRegisters(ModelSpecificRegister.atBoot)
        try processor.connectLocalInterrupts()
    }
}

extension Hypervisor {
    /// What a vCPU can be, of what the host's processor is: KVM_GET_SUPPORTED_CPUID, and the deadline timer that
    /// older kernels leave out of it (api.rst 9.1). ``ProcessorFeatures/offered()`` is what a guest should see.
    public borrowing func supportedProcessor() throws(KVMError) -> ProcessorFeatures {
        // KVM_MAX_CPUID_ENTRIES is 256.
        var words = [UInt32](repeating: 0, count: 2 + ProcessorFeatures.wordsPerLeaf * 256)
        words[0] = 256
        do { try control(descriptor.borrowed, CL_KVM_GET_SUPPORTED_CPUID, with: &words) } catch {
            throw .supportedProcessor(error)
        }
        var features = ProcessorFeatures(words: words)
        if try value(of: .deadlineTimer) != 0 { features.addDeadlineTimer() }
        return features
    }
}
