// SPDX-License-Identifier: Apache-2.0
import Engine
import CLinux
import Glibc
import Linux
import OCISpec
import Overlay
import Planning
import SandboxPlan

/// What of the host a container is shown, each opened once: all that shows it shows the same.
struct ShareSources: ~Copyable {
    let shares: [Share]
    /// Each share's source, in their order; nil for an overlay, which is made.
    private(set) var sources: [BorrowedDescriptor?] = []
    private var opened = DescriptorList()

    init(_ shares: [Share]) throws(RuntimeError) {
        self.shares = shares
        for share in shares {
            if share.overlayOptions != nil {
                sources.append(nil)
                continue
            }
            do {
                // Asking for a directory enters the mount that it may be.
                let options: OpenOptions = share.isFile ? .path : [.path, .directory]
                let source = try FileDescriptor.open(
                    share.source, at: .currentDirectory, options,
                    resolve: share.followsLinks ? [] : .noSymlinks)
                sources.append(opened.append(source))
            } catch {
                throw .share(path: share.source, error)
            }
        }
    }
}

/// What the host shows a sandbox: detached copies of mounts, made here once and handed to the file server's
/// jail as descriptors, so that nothing resolves the paths a second time.
struct SharedTree: ~Copyable {
    private(set) var shares: [FileServerProcess.Share] = []
    private var mounts = DescriptorList()

    /// - Parameters:
    ///   - attributes: what each mount has besides.
    ///   - makesOverlays: one can be mounted once; without, it is left out.
    init(
        _ sources: borrowing ShareSources, attributes: Mount.Attributes = [], makesOverlays: Bool = true
    ) throws(RuntimeError) {
        for (index, share) in sources.shares.enumerated() {
            if share.overlayOptions != nil, !makesOverlays { continue }
            let mount = try Self.mount(share, sources.sources[index])
            do {
                // What is mounted on the host later is the host's, unless it was asked for; nothing goes the other way.
                try Mount.setAttributes(
                    at: mount.borrowed, propagation: share.followsHost ? .slave : .private, recursive: true)
                try Mount.setAttributes(at: mount.borrowed, set: attributes, recursive: true)
                if share.isReadOnly {
                    try Mount.setAttributes(
                        at: mount.borrowed, set: .readOnly, recursive: share.isRecursivelyReadOnly)
                }
                self.shares.append(
                    FileServerProcess.Share(
                        path: share.sharedPath, mount: mounts.append(mount), isFile: share.isFile,
                        isReadOnly: share.isReadOnly))
            } catch {
                throw .share(path: share.source, error)
            }
        }
    }

    private static func mount(_ share: Share, _ source: BorrowedDescriptor?) throws(RuntimeError) -> FileDescriptor {
        if let source {
            return try wrapping(
                { .share(path: share.source, $0) }, Mount.copy("", at: source, recursive: share.isRecursive))
        }
        let options = share.overlayOptions ?? []
        return try wrapping({ .overlay(path: share.source, $0) }, OverlayMount(OverlayOptions(options)).make())
    }

    /// The mounts. Once a jail has attached its copies, these are only handles.
    consuming func release() -> DescriptorList { mounts }
}
