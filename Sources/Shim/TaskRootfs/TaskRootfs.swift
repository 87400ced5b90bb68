// SPDX-License-Identifier: Apache-2.0
import Linux
import Overlay

/// A task's root file system, made of the mounts that a client lists and unmade again. Blocking: file systems take
/// their time.
public enum TaskRootfs {
    /// Mounts the list on `<bundle>/rootfs`, which is made where it is missing: all of it, or nothing.
    ///
    /// Later mounts go on top of earlier ones, or, with a target, into them. A target must be there, and is resolved
    /// inside the root whatever symlinks lie in it.
    ///
    /// - Parameter bundle: an absolute path.
    public static func mount(_ mounts: [RootMount], bundle: String) throws(TaskRootfsError) -> TaskRoot {
        if let disk = try classify(mounts) { return .disk(disk) }
        guard !mounts.isEmpty else { return .bundle }
        let directory: FileDescriptor
        do {
            directory = try FileDescriptor.open(bundle, [.path, .directory])
        } catch {
            throw .bundle(path: bundle, error)
        }
        do {
            try Directory.make("rootfs", at: directory.borrowed, mode: 0o711)
        } catch  where error == .exists {
        } catch {
            throw .rootfs(path: bundle + "/rootfs", error)
        }
        var attached = DescriptorList()
        do {
            for mount in mounts {
                let place = directory.borrowed
                let target = try open(mount.target, in: place, bundle: bundle)
                let root = try make(mount, on: target) { () throws(TaskRootfsError) in
                    try open(mount.target, in: place, bundle: bundle)
                }
                attached.append(root)
            }
        } catch {
            // The last first; what is detached takes what is on it along.
            for root in attached.borrowed.reversed() { try? Mount.detach(root: root) }
            _ = consume attached
            throw error
        }
        return .mounted
    }

    /// The place of a mount: `target` in what is on the bundle's `rootfs` by now.
    private static func open(
        _ target: String, in bundle: BorrowedDescriptor, bundle path: String
    ) throws(TaskRootfsError) -> FileDescriptor {
        let root: FileDescriptor
        do {
            root = try FileDescriptor.open(
                "rootfs", at: bundle, [.path, .directory], resolve: [.beneath, .noSymlinks])
        } catch {
            throw .rootfs(path: path + "/rootfs", error)
        }
        if isRoot(target) { return root }
        do {
            return try FileDescriptor.open(target, at: root.borrowed, .path, resolve: [.inRoot, .noMagicLinks])
        } catch {
            throw .targetMissing(target, error)
        }
    }

    /// Makes one mount and attaches it.
    ///
    /// - Parameter reopen: opens the target again, and so the topmost mount on it.
    /// - Returns: open on the mount's root.
    private static func make(
        _ mount: RootMount, on target: borrowing FileDescriptor, reopen: () throws(TaskRootfsError) -> FileDescriptor
    ) throws(TaskRootfsError) -> FileDescriptor {
        let words = try MountWords(mount)
        if words.isBind { return try bind(mount, words, on: target) }
        if mount.type == "overlay" {
            return try Overlay(mount, words, options: try overlayOptions(mount, words)).make(on: target, reopen: reopen)
        }
        let context: FileSystemContext
        do {
            context = try FileSystemContext(mount.type)
        } catch {
            throw failure(mount, error)
        }
        if !mount.source.isEmpty { try set("source=" + mount.source, context, type: mount.type) }
        for word in words.superblock + words.rest { try set(word, context, type: mount.type) }
        if words.attributes.contains(.readOnly) { try set("ro", context, type: mount.type) }
        return try attach(try create(context, mount, words), mount, words, on: target)
    }

    static func overlayOptions(_ mount: RootMount, _ words: MountWords) throws(TaskRootfsError) -> OverlayOptions {
        do { return try OverlayOptions(words.rest) } catch { throw TaskRootfsError(error, mount) }
    }

    private static func bind(
        _ mount: RootMount, _ words: MountWords, on target: borrowing FileDescriptor
    ) throws(TaskRootfsError) -> FileDescriptor {
        let copy: FileDescriptor
        do {
            copy = try Mount.copy(mount.source, recursive: words.isRecursive)
        } catch {
            throw .source(mount.source, error)
        }
        do {
            let accessTime: Mount.Attributes = [.noAccessTime, .strictAccessTime]
            try Mount.setAttributes(
                at: copy.borrowed, set: words.attributes,
                // The mode of access times is one of three, and is cleared to be set.
                clear: words.attributes.isDisjoint(with: accessTime) ? [] : .accessTimeMask)
        } catch {
            throw failure(mount, error)
        }
        return try attach(copy, mount, words, on: target)
    }

    static func create(
        _ context: borrowing FileSystemContext, _ mount: RootMount, _ words: MountWords
    ) throws(TaskRootfsError) -> FileDescriptor {
        do {
            return try context.mount(words.attributes)
        } catch {
            throw failure(mount, error, context.messages())
        }
    }

    static func attach(
        _ detached: consuming FileDescriptor, _ mount: RootMount, _ words: MountWords,
        on target: borrowing FileDescriptor
    ) throws(TaskRootfsError) -> FileDescriptor {
        let root = try spread(detached, mount, words)
        do {
            try Mount.attach(root.borrowed, on: target.borrowed)
        } catch {
            throw failure(mount, error)
        }
        return root
    }

    /// Sets how mounts in the one at `root` travel, where the options say so.
    static func spread(
        _ root: consuming FileDescriptor, _ mount: RootMount, _ words: MountWords
    ) throws(TaskRootfsError) -> FileDescriptor {
        guard let propagation = words.propagation else { return root }
        do {
            try Mount.setAttributes(
                at: root.borrowed, propagation: propagation.kind, recursive: propagation.isRecursive)
        } catch {
            throw failure(mount, error)
        }
        return root
    }

    /// Gives a file system one of its options, `key` or `key=value`.
    static func set(
        _ option: String, _ context: borrowing FileSystemContext, type: String
    ) throws(TaskRootfsError) {
        let parts = option.split(at: "=", maxSplits: 1, omittingEmptySubsequences: false)
        do throws(Errno) {
            if parts.count > 1 {
                let value = String(parts[1])
                guard value.utf8.count <= FileSystemContext.valueLimit else { throw .nameTooLong }
                try context.set(String(parts[0]), to: value)
            } else {
                try context.set(option)
            }
        } catch {
            let said = context.messages().joined(separator: "; ")
            throw .option(option, type: type, error, detail: said)
        }
    }

    static func failure(_ mount: RootMount, _ errno: Errno, _ messages: [String] = []) -> TaskRootfsError {
        .mount(
            type: mount.type, source: mount.source, target: mount.target.isEmpty ? "/" : mount.target, errno,
            detail: messages.joined(separator: "; "))
    }
}
