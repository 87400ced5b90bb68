// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

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

    /// A mount of `source` at `target`, a path below the container's root.
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
    /// On a disk that is not mounted: the guest mounts it.
    case disk(RootDisk)
}
