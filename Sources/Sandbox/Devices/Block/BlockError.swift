public import Linux

/// What is wrong with a disk that is handed over, or with what the device runs on.
public enum BlockError: Error, Equatable {
    /// `operation` on the disk's descriptor failed.
    case disk(operation: String, Errno)
    /// The descriptor is neither a regular file's nor a block device's; `mode` as stat(2) tells it.
    case kind(mode: UInt32)
    /// Open for something else than was asked for; `flags` as F_GETFL tells them.
    case access(flags: Int32)
    /// Open with O_APPEND: writes would go to the end, wherever they belong.
    case appends
    /// Not one whole sector of 512 bytes.
    case empty(byteCount: UInt64)
    /// More than 20 bytes, or not of printable ASCII.
    case identifier(String)
    /// The event loop's descriptors could not be made.
    case events(Errno)
}
