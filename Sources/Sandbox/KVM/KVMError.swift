public import Linux

/// What KVM refused, by the ioctl's name.
public enum KVMError: Error, Hashable, Sendable {
    case operation(String, Errno)
}
