// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import SandboxPlan

/// The mounts of a container, made by its first process before the root is entered; the order is runc's.
struct ContainerMounts {
    let plan: ContainerPlan
    let directories: LaunchDirectories
    /// Mounts that become read-only once /dev is filled.
    private var laterReadOnly: [OpenMount] = []
    /// The containers that something is taken from: their first processes, by pidfd.
    private let others: [String: BorrowedDescriptor]

    private final class OpenMount {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }

    init(_ plan: ContainerPlan, _ directories: LaunchDirectories, others: [String: BorrowedDescriptor]) {
        self.plan = plan
        self.directories = directories
        self.others = others
    }

    /// Attaches the container's root where it can be pivoted to: a copy of its tree in the shared one, or the mount of
    /// its disk.
    static func attachRoot(
        _ plan: RootPlan, _ disk: consuming FileDescriptor?, _ directories: LaunchDirectories
    ) throws(LaunchFailure) -> RootDirectory {
        try step(.rootFileSystem, "make mounts private") { () throws(Errno) in
            let slash = try FileDescriptor.open("/", [.path, .directory])
            try Mount.setAttributes(at: slash.borrowed, propagation: .private, recursive: true)
        }
        let mount = if let disk { disk } else { try copyShared(plan, directories) }
        try step(
            .rootFileSystem, "attach the root filesystem",
            try Mount.attach(mount.borrowed, on: directories.rootMountPoint))
        return RootDirectory(descriptor: mount)
    }

    private static func copyShared(
        _ plan: RootPlan, _ directories: LaunchDirectories
    ) throws(LaunchFailure) -> FileDescriptor {
        guard case .shared(let path) = plan.source else {
            throw LaunchFailure(.rootFileSystem, "the root filesystem's disk is not mounted")
        }
        let what = "open the root filesystem \(path)"
        let tree = try step(
            .rootFileSystem, what,
            try FileDescriptor.open(
                path, at: directories.sharedDirectory, [.path, .directory], resolve: [.beneath, .noSymlinks]))
        // Such a kernel would take the group bits of a mode, which then are the list's mask, for the group's own.
        let hasLists = try step(.rootFileSystem, what, try FileNode.hasAccessLists(on: tree.borrowed))
        guard hasLists else {
            throw LaunchFailure(
                .rootFileSystem, "the guest's kernel has no access control lists in FUSE submounts, see guest/")
        }
        return try step(.rootFileSystem, what, try Mount.copy("", at: tree.borrowed, recursive: true))
    }

    /// In the order of the document.
    mutating func makeAll(in root: borrowing RootDirectory) throws(LaunchFailure) {
        for mount in plan.mounts { try make(mount, in: root) }
    }

    private mutating func make(_ mount: MountPlan, in root: borrowing RootDirectory) throws(LaunchFailure) {
        try MountRules.check(mount, sharedDirectory: directories.sharedDirectory)
        let what = "error mounting \"\(mount.sourceName)\" to rootfs at \"\(mount.destination)\""
        let isMade = (try? root.open(mount.destination)) == nil
        let target = try openTarget(of: mount, in: root, what)
        let isLater = mount.attributes.contains(.readOnly) && mount.isFilledLater
        let copy = try step(.mount, what) { () throws(Errno) in
            let copy = try source(of: mount, target: target, isMade: isMade)
            try setAttributes(of: mount, on: copy.borrowed, without: isLater ? .readOnly : [])
            return copy
        }
        if case .fileSystem(_, _, _, true) = mount.source {
            try step(.mount, "\(what): copying up", try TreeCopy.copy(from: target.borrowed, to: copy.borrowed))
        }
        try step(.mount, what) { () throws(Errno) in
            try MountPoint.attach(copy.borrowed, on: target.borrowed)
            guard let propagation = mount.propagation else { return }
            try Mount.setAttributes(
                at: copy.borrowed, propagation: Mount.Propagation(propagation),
                recursive: mount.propagationIsRecursive)
        }
        if isLater { laterReadOnly.append(OpenMount(copy)) }
    }

    /// The place the mount goes to, made where it is missing.
    private func openTarget(
        of mount: MountPlan, in root: borrowing RootDirectory, _ what: String
    ) throws(LaunchFailure) -> FileDescriptor {
        var missing = RootDirectory.Missing.directories
        var followsLast = true
        switch mount.source {
        case .shared(_, true, _): missing = .file
        case .guest(let path, _, nil) where !MountRules.isDirectory(path): missing = .file
        case .fileSystem(let type, _, _, _) where type == "proc" || type == "sysfs": followsLast = false
        default: break
        }
        let target = try step(
            .mount, what, try root.open(mount.destination, followsLast: followsLast, creating: missing))
        if !followsLast, (try? Directory.isDirectory(target.borrowed)) != true {
            throw LaunchFailure(
                .mount, "\(what): filesystem \"\(mount.sourceName)\" must be mounted on ordinary directory",
                errno: ENOTDIR)
        }
        return target
    }

    /// The detached mount.
    ///
    /// - Parameter isMade: nothing was at `target` before.
    private func source(
        of mount: MountPlan, target: borrowing FileDescriptor, isMade: Bool
    ) throws(Errno) -> FileDescriptor {
        switch mount.source {
        case .fileSystem(let type, let source, var options, _):
            if type == "tmpfs", !isMade, !options.contains(where: { $0.begins(with: "mode=") }) {
                // It looks like the directory it covers, where the document's image has one.
                options.append("mode=\(String(try FileNode.status(of: target.borrowed).permissions, radix: 8))")
            }
            return try Mount.make(type, source: source.isEmpty ? nil : source, options: options)
        case .cgroup where plan.namespaces.contains { $0.kind == .cgroup }:
            return try Mount.make("cgroup2", source: "cgroup")
        case .cgroup:
            return try Mount.copy("", at: directories.cgroup, recursive: true)
        case .shared(let path, let isFile, let recursive):
            // Asking for a directory enters the mount that it is to the host; otherwise that would be mounted on
            // the copy later, a second time.
            let file = try FileDescriptor.open(
                path, at: directories.sharedDirectory, isFile ? .path : [.path, .directory],
                resolve: [.beneath, .noSymlinks])
            return try Mount.copy("", at: file.borrowed, recursive: recursive)
        case .guest(let path, let recursive, nil):
            return try Mount.copy(path, recursive: recursive)
        case .guest(let path, let recursive, let container?):
            guard let container = others[container] else { throw .noSuchProcess }
            return try Self.copy(path, ofContainer: container, recursive: recursive)
        case .socket:
            throw .notSupported  // The agent has put its own in its place (ContainerSockets).
        }
    }

    /// Copies what a container, given by a pidfd of its first process, has at `path`: as its processes would reach it.
    /// Mounts can be copied only within the namespace they belong to.
    private static func copy(
        _ path: String, ofContainer container: BorrowedDescriptor, recursive: Bool
    ) throws(Errno) -> FileDescriptor {
        let own = try FileDescriptor.open("/proc/self/ns/mnt")
        try Process.enter(container, .mount)
        let copy: Result<FileDescriptor, Errno>
        do throws(Errno) {
            let root = RootDirectory(descriptor: try FileDescriptor.open("/", [.path, .directory]))
            let file = try root.open(path)
            copy = .success(try Mount.copy("", at: file.borrowed, recursive: recursive))
        } catch {
            copy = .failure(error)
        }
        // Where this fails, this process is in the wrong place, and ends.
        try Process.enter(own.borrowed, .mount)
        return try copy.get()
    }

    private func setAttributes(
        of mount: MountPlan, on copy: BorrowedDescriptor, without later: MountAttributes
    ) throws(Errno) {
        let attributes = mount.attributes.subtracting(later)
        if !attributes.isEmpty {
            try Mount.setAttributes(at: copy, set: attributes.mount, clear: attributes.clearedFirst)
        }
        if !mount.recursiveSet.isEmpty || !mount.recursiveClear.isEmpty {
            try Mount.setAttributes(
                at: copy, set: mount.recursiveSet.mount,
                clear: mount.recursiveClear.mount.union(mount.recursiveSet.union(mount.recursiveClear).clearedFirst),
                recursive: true)
        }
    }

    /// What had to stay writable until now.
    mutating func finish() throws(LaunchFailure) {
        for mount in laterReadOnly {
            try step(
                .mount, "remount read-only", try Mount.setAttributes(at: mount.descriptor.borrowed, set: .readOnly))
        }
        laterReadOnly = []
    }
}

extension MountPlan {
    /// What messages call the source.
    var sourceName: String {
        switch source {
        case .fileSystem(let type, let source, _, _): source.isEmpty ? type : source
        case .cgroup: "cgroup"
        case .shared(let path, _, _): path
        case .guest(let path, _, _): path
        case .socket: "socket"
        }
    }

    /// Something is made in it after it was mounted.
    var isFilledLater: Bool {
        guard case .fileSystem(let type, _, _, _) = source else { return false }
        return type == "tmpfs" || destination.cleanedPath == "/dev"
    }
}

extension MountAttributes {
    var mount: Mount.Attributes { Mount.Attributes(rawValue: UInt64(rawValue)) }

    /// The kernel wants the old access-time mode cleared whole when a new one is set, or this one is undone.
    var clearedFirst: Mount.Attributes {
        isDisjoint(with: [.noAccessTime, .strictAccessTime]) ? [] : .accessTimeMask
    }
}

extension Mount.Propagation {
    init(_ propagation: MountPropagation) {
        self =
            switch propagation {
            case .private: .private
            case .slave: .slave
            case .shared: .shared
            case .unbindable: .unbindable
            }
    }
}
