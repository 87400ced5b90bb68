// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan

/// The places that a container's mounts are attached to.
enum MountPoint {
    /// FUSE_SUPER_MAGIC, <linux/magic.h>.
    private static let fuse = 0x6573_5546

    /// Attaches a detached mount to `target`, an O_PATH descriptor.
    ///
    /// A place of the shared tree is named to fc-fsd first: the kernel would take the mount away if the place's name led
    /// elsewhere one day, as when a user of the host replaces its directory.
    static func attach(_ mount: BorrowedDescriptor, on target: BorrowedDescriptor) throws(Errno) {
        if try FileNode.fileSystemKind(of: target) == fuse {
            _ = try FileNode.extendedAttributeLength(GuestConvention.mountPointAttribute.description, of: target)
        }
        try Mount.attach(mount, on: target)
    }
}
