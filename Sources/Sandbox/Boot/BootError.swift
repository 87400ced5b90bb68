public import Linux

/// Why a guest's first state cannot be made.
public enum BootError: Error, Equatable {
    case read(what: String, Errno)
}
