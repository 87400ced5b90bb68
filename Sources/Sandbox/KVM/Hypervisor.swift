#if arch(x86_64)
    import CLinux
    public import Linux

    /// The host's KVM: an open descriptor of /dev/kvm, handed down by whoever may open it.
    public struct Hypervisor: ~Copyable, Sendable {
        private let descriptor: FileDescriptor
        private let runAreaByteCount: Int

        /// The vCPUs one machine may have, KVM_CAP_MAX_VCPUS.
        public let maximumVCPUCount: Int

        /// Takes over `descriptor`, which must be open on /dev/kvm.
        ///
        /// - Throws: `.notKVM`, `.interfaceVersion`, `.missingCapabilities` with all that is missing.
        public init(_ descriptor: consuming FileDescriptor) throws(KVMError) {
            let number = descriptor.rawValue
            let version: Int
            do { version = try control(number, CL_KVM_GET_API_VERSION) } catch { throw .notKVM(error) }
            guard version == 12 else { throw .interfaceVersion(version) }
            var missing: [Capability] = []
            for capability in Capability.needed where try Self.check(capability, number) == 0 {
                missing.append(capability)
            }
            guard missing.isEmpty else { throw .missingCapabilities(missing) }
            let byteCount: Int
            do { byteCount = try control(number, CL_KVM_GET_VCPU_MMAP_SIZE) } catch { throw .runAreaSize(error) }
            guard byteCount >= CL_RUN_BYTE_COUNT else { throw .runAreaTooSmall(byteCount: byteCount) }
            maximumVCPUCount = try Self.check(.maximumVCPUs, number)
            runAreaByteCount = byteCount
            self.descriptor = descriptor
        }

        /// What KVM says of `capability`: 0 where it has none such; else 1, or a number with the capability's meaning.
        public borrowing func value(of capability: Capability) throws(KVMError) -> Int {
            try Self.check(capability, descriptor.rawValue)
        }

        private static func check(_ capability: Capability, _ descriptor: Int32) throws(KVMError) -> Int {
            do {
                return try control(descriptor, CL_KVM_CHECK_EXTENSION, Int(capability.rawValue))
            } catch {
                throw .checkCapability(capability, error)
            }
        }

        /// KVM_CREATE_VM: a machine without memory, devices and processors. It outlives the hypervisor's descriptor.
        public borrowing func makeVirtualMachine() throws(KVMError) -> VirtualMachine {
            let number = descriptor.rawValue
            let machine: Int
            do {
                // A signal may interrupt the making of the machine's worker.
                machine = try retrying { () throws(Errno) in try control(number, CL_KVM_CREATE_VM) }
            } catch {
                throw .createVirtualMachine(error)
            }
            // Taken into ownership before anything may throw.
            let owned = FileDescriptor(owning: Int32(machine))
            let extendedState = try value(of: .extendedStateSize)
            return VirtualMachine(
                owned, runAreaByteCount: runAreaByteCount, extendedStateByteCount: max(4096, extendedState))
        }

        /// What a vCPU can be, of what the host's processor is: KVM_GET_SUPPORTED_CPUID, and the deadline timer that
        /// older kernels leave out of it (api.rst 9.1). ``ProcessorFeatures/offered()`` is what a guest should see.
        public borrowing func supportedProcessor() throws(KVMError) -> ProcessorFeatures {
            // KVM_MAX_CPUID_ENTRIES is 256.
            var words = [UInt32](repeating: 0, count: 2 + ProcessorFeatures.wordsPerLeaf * 256)
            words[0] = 256
            do { try control(descriptor.rawValue, CL_KVM_GET_SUPPORTED_CPUID, with: &words) } catch {
                throw .supportedProcessor(error)
            }
            var features = ProcessorFeatures(words: words)
            if try value(of: .deadlineTimer) != 0 { features.addDeadlineTimer() }
            return features
        }
    }
#endif
