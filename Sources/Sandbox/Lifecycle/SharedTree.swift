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
    /// Makes the mount points that a read-only root could not be given later, below `root` and never through a
    /// symlink out of it. Those inside another mount are left to the guest.
    static func makeMountPoints(_ mounts: [MountPlan], below root: Int32) throws(RuntimeError) {
        var covered: [String] = []
        for mount in mounts {
            let destination = mount.destination
            if !covered.contains(where: { destination == $0 || destination.hasPrefix($0 + "/") }) {
                do {
                    try MountPoint.make(destination, below: root, isFile: mount.isFileBind)
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

/// A place in a root file system that something is to be mounted on.
enum MountPoint {
    static func make(_ path: String, below root: Int32, isFile: Bool) throws(Errno) {
        if exists(path, below: root) { return }
        let components = path.split(separator: "/").filter { $0 != "." }
        var directory = ""
        for component in components.dropLast(isFile ? 1 : 0) {
            let parent = try FileDescriptor.open(directory.isEmpty ? "." : directory, at: root, [.path, .directory], resolve: .inRoot)
            directory += directory.isEmpty ? String(component) : "/\(component)"
            if exists(directory, below: root) { continue }
            try withPath(String(component)) { (name) throws(Errno) in
                _ = try syscall(__NR_mkdirat, Int(parent.rawValue), name, 0o755)
            }
        }
        guard isFile, let name = components.last else { return }
        let parent = try FileDescriptor.open(directory.isEmpty ? "." : directory, at: root, [.path, .directory], resolve: .inRoot)
        _ = try FileDescriptor.open(String(name), at: parent.rawValue, [.create, .exclusive, .writeOnly, .noFollow], mode: 0o644)
    }

    private static func exists(_ path: String, below root: Int32) -> Bool {
        (try? FileDescriptor.open(path, at: root, [.path], resolve: .inRoot)) != nil
    }
}
