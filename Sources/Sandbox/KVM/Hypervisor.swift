// SPDX-License-Identifier: Apache-2.0
import CLinux
public import Linux

/// The host's KVM: an open descriptor of /dev/kvm, handed down by a process that may open it.
public struct Hypervisor: ~Copyable, Sendable {
    let descriptor: FileDescriptor
    private let runAreaByteCount: Int

    /// The vCPUs one machine may have, KVM_CAP_MAX_VCPUS.
    public let maximumVCPUCount: Int

    /// Takes over `descriptor`, which must be open on /dev/kvm.
    ///
    /// - Throws: `.notKVM`, `.interfaceVersion`, `.missingCapabilities` with all that is missing.
    public init(_ descriptor: consuming FileDescriptor) throws(KVMError) {
        let system = descriptor.borrowed
        let version: Int
        do { version = try control(system, CL_KVM_GET_API_VERSION) } catch { throw .notKVM(error) }
        guard version == 12 else { throw .interfaceVersion(version) }
        var missing: [Capability] = []
        for capability in Capability.needed + GuestProcessors.neededCapabilities
        where try Self.check(capability, system) == 0 {
            missing.append(capability)
        }
        guard missing.isEmpty else { throw .missingCapabilities(missing) }
        let byteCount: Int
        do { byteCount = try control(system, CL_KVM_GET_VCPU_MMAP_SIZE) } catch { throw .runAreaSize(error) }
        guard byteCount >= CL_RUN_BYTE_COUNT else { throw .runAreaTooSmall(byteCount: byteCount) }
        maximumVCPUCount = try Self.check(.maximumVCPUs, system)
        runAreaByteCount = byteCount
        self.descriptor = descriptor
    }

    /// What KVM says of `capability`: 0 where it has none such; else 1, or a number with the capability's meaning.
    public borrowing func value(of capability: Capability) throws(KVMError) -> Int {
        try Self.check(capability, descriptor.borrowed)
    }

    private static func check(_ capability: Capability, _ descriptor: BorrowedDescriptor) throws(KVMError) -> Int {
        do {
            return try control(descriptor, CL_KVM_CHECK_EXTENSION, Int(capability.rawValue))
        } catch {
            throw .checkCapability(capability, error)
        }
    }

    /// KVM_CREATE_VM: a machine without memory, devices and processors. It outlives the hypervisor's descriptor.
    public borrowing func makeVirtualMachine() throws(KVMError) -> VirtualMachine {
        let system = descriptor.borrowed
        let machine: Int
        do {
            // A signal may interrupt the making of the machine's worker.
            machine = try retrying { () throws(Errno) in try control(system, CL_KVM_CREATE_VM) }
        } catch {
            throw .createVirtualMachine(error)
        }
        // Taken into ownership before anything may throw.
        let owned = FileDescriptor(owning: Int32(machine))
        let extendedState = try value(of: .extendedStateSize)
        return VirtualMachine(
            owned, runAreaByteCount: runAreaByteCount, extendedStateByteCount: max(4096, extendedState))
    }
}
