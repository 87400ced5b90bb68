import CLinux
import Glibc
import Linux

/// Whether the host's processor can run a Linux guest through /dev/kvm. That the device opens says little: there
/// are kernels whose KVM has no VT-x or AMD-V under it, and runs no stock guest kernel.
public enum HardwareVirtualization: Hashable, Sendable {
    case usable
    case unusable(cause: String, cure: String)

    /// Looks at the processor's flags, and makes a virtual machine and a processor of it, which are let go again.
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
            guard try syscall(__NR_ioctl, Int(system.rawValue), 0xAE00) == 12 else { throw .notSupported }
            let machine = FileDescriptor(owning: Int32(try syscall(__NR_ioctl, Int(system.rawValue), 0xAE01, 0)))
            let processor = FileDescriptor(owning: Int32(try syscall(__NR_ioctl, Int(machine.rawValue), 0xAE41, 0)))
            _ = consume processor
            return .usable
        } catch {
            return .unusable(cause: "\(device): \(error)", cure: cure(of: error, device))
        }
    }

    /// Whether a `flags` line of /proc/cpuinfo names vmx or svm.
    static func hasExtension(_ processors: String) -> Bool {
        for line in processors.split(separator: "\n") where line.hasPrefix("flags") {
            let flags = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ":" })
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
