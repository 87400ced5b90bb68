// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import Planning
import RuntimeState
import SandboxPlan

extension BundlePlan {
    /// The plan of a bundle as it lies on this host.
    ///
    /// - Parameters:
    ///   - place: whose namespaces the container shares; nil: it has a machine of its own.
    ///   - sources: keeps what it finds of sockets.
    init(
        _ bundle: Bundle, id: ContainerID, shareName: String, place: PodPlace?, rootDisk: RootDisk?,
        _ sources: MountSources
    ) throws(RuntimeError) {
        var place = place ?? .alone
        if case .sandbox = bundle.role { place = .sandbox }
        let disk = try rootDisk.map { (disk) throws(RuntimeError) in
            try wrapping({ .rootDisk(path: disk.path, $0) }, DiskMount(root: disk, shareName: shareName))
        }
        self = try wrapping(
            RuntimeError.planning,
            try BundlePlan(
                spec: bundle.spec, id: id.rawValue, rootPath: bundle.rootPath, bundlePath: bundle.path,
                shareName: shareName, place: place, rootDisk: disk,
                kind: { path throws(Errno) in try sources.kind(of: path) }, memorySize: Self.memorySize))
        self.rootDisk = rootDisk
    }

    /// How many bytes the tmpfs at `path` holds; nil where it is none.
    private static func memorySize(_ path: String) -> UInt64? {
        guard let file = try? FileDescriptor.open(path, [.path, .directory]),
            (try? FileNode.fileSystemKind(of: file.borrowed)) == Int(TMPFS_MAGIC)
        else { return nil }
        return try? FileNode.fileSystemByteCount(of: file.borrowed)
    }
}
