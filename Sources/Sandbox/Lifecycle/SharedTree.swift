import Engine
import CLinux
import Glibc
import Linux
import OCISpec
import Planning
import SandboxPlan

/// What the host shows a sandbox: detached copies of mounts, made here once and handed to the file server's
/// jail as descriptors, so that nothing resolves the paths a second time.
struct SharedTree: ~Copyable {
    private(set) var shares: [FileServerProcess.Share] = []
    private var descriptors: [Int32] = []

    init(_ shares: [Share]) throws(RuntimeError) {
        for share in shares {
            do {
                let mount = try Mount.copy(share.source, recursive: share.isRecursive)
                // Whatever is mounted on the host later is the host's, and the other way round.
                try Mount.setAttributes(at: mount.rawValue, propagation: .private, recursive: true)
                if share.isReadOnly {
                    try Mount.setAttributes(
                        at: mount.rawValue, set: .readOnly, recursive: share.isRecursivelyReadOnly)
                }
                self.shares.append(
                    FileServerProcess.Share(
                        path: share.sharedPath, mount: mount.rawValue, isFile: share.isFile,
                        isReadOnly: share.isReadOnly))
                descriptors.append(mount.release())
            } catch {
                throw .share(path: share.source, error)
            }
        }
    }

    deinit {
        // Once the jail has attached its copies, these are only handles.
        for descriptor in descriptors { _ = FileDescriptor(owning: descriptor) }
    }
}

extension Share {
    /// Makes the mount points that a read-only root could not be given later, never through a symlink out of it.
    /// Those inside another mount are left to the guest.
    static func makeMountPoints(
        _ mounts: [MountPlan], in root: borrowing RootDirectory
    ) throws(RuntimeError) {
        var covered: [String] = []
        for mount in mounts {
            let destination = mount.destination
            if !covered.contains(where: { destination == $0 || destination.hasPrefix($0 + "/") }) {
                do {
                    _ = try root.open(destination, creating: mount.isFileBind ? .file : .directories)
                } catch {
                    throw .mountPoint(path: destination, error)
                }
            }
            covered.append(destination)
        }
    }
}

extension MountPlan {
    var isFileBind: Bool {
        if case .shared(_, let isFile, _) = source { isFile } else { false }
    }
}
