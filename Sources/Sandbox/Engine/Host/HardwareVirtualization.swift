// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// Whether the host's processor can run a Linux guest through /dev/kvm. That the device opens is not enough: there
/// are kernels whose KVM works without VT-x and AMD-V, and cannot run a stock guest kernel.
public enum HardwareVirtualization: Hashable, Sendable {
    case usable
    case unusable(cause: String, cure: String)

    /// Reads the processor's flags, and makes a virtual machine with a processor, which it closes again.
    public static func probe(
        device: String = "/dev/kvm", processors: String = "/proc/cpuinfo"
    ) -> HardwareVirtualization {
        do {
            let flags = try FileDescriptor.open(processors).readAll(limit: 16 << 20)
            guard hasExtension(String(decoding: flags, as: UTF8.self)) else {
                return .unusable(
                    cause: "the processor shows neither VT-x (vmx) nor AMD-V (svm)",
                    cure: "switch virtualization on in the firmware, or nested virtualization in the hypervisor")
            }
        } catch {
            return .unusable(cause: "\(processors): \(error)", cure: "mount /proc")
        }
        do throws(Errno) {
            let system = try FileDescriptor.open(device, .readWrite)
            // KVM_GET_API_VERSION is 12 since 2007; KVM_CREATE_VM and KVM_CREATE_VCPU need real hardware beneath.
            guard try syscall(__NR_ioctl, system.borrowed.argument, 0xAE00) == 12 else { throw .notSupported }
            let machine = FileDescriptor(owning: Int32(try syscall(__NR_ioctl, system.borrowed.argument, 0xAE01, 0)))
            let processor = FileDescriptor(owning: Int32(try syscall(__NR_ioctl, machine.borrowed.argument, 0xAE41, 0)))
            _ = consume processor
            return .usable
        } catch {
            return .unusable(cause: "\(device): \(error)", cure: cure(of: error, device))
        }
    }

    /// Whether a `flags` line of /proc/cpuinfo names vmx or svm.
    static func hasExtension(_ processors: String) -> Bool {
        for line in processors.split(at: "\n") where line.begins(with: "flags") {
            let flags = line.split(at: ":").last?.words ?? []
            return flags.contains("vmx") || flags.contains("svm")
        }
        return false
    }

    static func cure(of error: Errno, _ device: String) -> String {
        switch error {
        case .noSuchFile: "load the module kvm_intel or kvm_amd"
        case .permissionDenied, .notPermitted: "run as root, or give the user the group of \(device)"
        case .busy: "end the other hypervisor that holds the processor"
        default: "see the kernel's log"
        }
    }
}
