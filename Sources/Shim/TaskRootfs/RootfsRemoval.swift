// SPDX-License-Identifier: Apache-2.0
import Linux

extension TaskRootfs {
    /// Unmounts whatever is on `<bundle>/rootfs`, layer by layer, wherever it came from; what is busy leaves the tree
    /// now and goes when its last user does. No bundle, no `rootfs` or nothing on it is no error.
    ///
    /// One name is looked up in the open bundle and no symlink followed, so nothing outside the bundle is reached.
    public static func unmount(bundle: String) throws(TaskRootfsError) {
        let previous = try here()
        do throws(Errno) {
            let directory = try FileDescriptor.open(bundle, [.path, .directory])
            try Process.changeDirectory(to: directory.borrowed)
        } catch .noSuchFile {
            return
        } catch {
            throw .bundle(path: bundle, error)
        }
        defer { try? Process.changeDirectory(to: previous.borrowed) }
        for _ in 0..<Limit.layers {
            do throws(Errno) {
                guard try removeLayer() else { return }
            } catch {
                throw .unmount(path: bundle + "/rootfs", error)
            }
        }
        throw .stillMounted(path: bundle + "/rootfs", layers: Limit.layers)
    }

    private static func here() throws(TaskRootfsError) -> FileDescriptor {
        do {
            return try FileDescriptor.open(".", [.path, .directory])
        } catch {
            throw .bundle(path: ".", error)
        }
    }

    /// Takes away the topmost mount on `rootfs` in the current directory, with what is mounted in it.
    ///
    /// - Returns: false where there was none.
    private static func removeLayer() throws(Errno) -> Bool {
        do {
            try Mount.unmake("rootfs", isLazy: false)
        } catch  where error == .busy {
            try Mount.unmake("rootfs", isLazy: true)
        } catch  where error == .invalidArgument || error == .noSuchFile || error == .notDirectory {
            return false
        }
        return true
    }
}
