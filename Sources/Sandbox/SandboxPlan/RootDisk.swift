// SPDX-License-Identifier: Apache-2.0
/// A container's root file system on an image file or a block device, in the place of the bundle's directory. The
/// caller says so and names the file system: nothing is ever taken for a disk by its looks.
public struct RootDisk: Hashable, Sendable {
    /// An absolute path on the host: a regular file, raw, or a block device; symlinks are followed.
    public var path: String
    /// ext4, ext3, ext2, xfs, erofs or squashfs; whether the guest's kernel has it shows when it is mounted.
    public var type: String
    /// As mount(8)'s.
    public var options: [String]
    /// The machine gets a disk that cannot be written. So it does with the option `ro`, and of a file system that never
    /// is.
    public var isReadOnly: Bool

    /// Nothing is opened or checked here.
    public init(path: String, type: String, options: [String] = [], isReadOnly: Bool = false) {
        self.path = path
        self.type = type
        self.options = options
        self.isReadOnly = isReadOnly
    }
}
