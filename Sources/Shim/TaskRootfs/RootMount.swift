/// One mount of a task's root, as CreateTaskRequest lists them (containerd.types.Mount).
public struct RootMount: Hashable, Sendable {
    /// A kind of file system, or `bind`.
    public var type: String
    /// What a bind shows, or the device of a file system that has one.
    public var source: String
    /// A place in what the mounts before this one made; empty: the root itself.
    public var target: String
    /// As in fstab, one each.
    public var options: [String]

    public init(type: String, source: String, target: String = "", options: [String] = []) {
        self.type = type
        self.source = source
        self.target = target
        self.options = options
    }
}

/// Where a task's root file system is.
public enum TaskRoot: Hashable, Sendable {
    /// In the bundle, as it lies there: no mounts were listed.
    case bundle
    /// Mounted on the bundle's `rootfs`.
    case mounted
    /// On a disk, which nobody mounted: that is the guest's to do.
    case disk(DiskRoot)
}

/// A file system on a block device or in an image file.
public struct DiskRoot: Hashable, Sendable {
    /// Absolute, as the client gave it.
    public var path: String
    public var fileSystem: String
    /// Of the file system and the mount, as given, without `ro`, `rw`, `loop` and `direct-io`.
    public var options: [String]
    public var isReadOnly: Bool
    /// A block device; otherwise a regular file.
    public var isBlockDevice: Bool

    public init(path: String, fileSystem: String, options: [String], isReadOnly: Bool, isBlockDevice: Bool) {
        self.path = path
        self.fileSystem = fileSystem
        self.options = options
        self.isReadOnly = isReadOnly
        self.isBlockDevice = isBlockDevice
    }
}
