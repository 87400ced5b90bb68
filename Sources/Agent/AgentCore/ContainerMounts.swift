import CLinux
import Glibc
import Linux
import SandboxPlan

/// The mounts of a container, made by its first process before the root is entered; the order is runc's.
struct ContainerMounts {
    let plan: ContainerPlan
    let ground: Ground
    /// Mounts that become read-only once /dev is filled.
    private var laterReadOnly: [Int32] = []

    init(_ plan: ContainerPlan, ground: Ground) {
        self.plan = plan
        self.ground = ground
    }

    /// Attaches the container's root where it can be pivoted to: a copy of its tree in the shared one, or the mount of
    /// its disk.
    static func attachRoot(
        _ plan: RootPlan, _ disk: consuming FileDescriptor?, ground: Ground
    ) throws(LaunchFailure) -> RootDirectory {
        try step(.rootFileSystem, "make mounts private") { () throws(Errno) in
            let slash = try FileDescriptor.open("/", [.path, .directory])
            try Mount.setAttributes(at: slash.rawValue, propagation: .private, recursive: true)
        }
        let mount = if let disk { disk } else { try copyShared(plan, ground) }
        try step(.rootFileSystem, "attach the root filesystem") { () throws(Errno) in
            try Mount.attach(mount.rawValue, on: ground.rootMountPoint)
        }
        return RootDirectory(descriptor: mount)
    }

    private static func copyShared(_ plan: RootPlan, _ ground: Ground) throws(LaunchFailure) -> FileDescriptor {
        guard case .shared(let path) = plan.source else {
            throw LaunchFailure(.rootFileSystem, "the root filesystem's disk is not mounted")
        }
        return try step(.rootFileSystem, "open the root filesystem \(path)") { () throws(Errno) in
            let tree = try FileDescriptor.open(
                path, at: ground.sharedDirectory, [.path, .directory], resolve: [.beneath, .noSymlinks])
            return try Mount.copy("", at: tree.rawValue, recursive: true)
        }
    }

    /// In the order of the document.
    mutating func makeAll(in root: borrowing RootDirectory) throws(LaunchFailure) {
        for mount in plan.mounts { try make(mount, in: root) }
    }

    private mutating func make(_ mount: MountPlan, in root: borrowing RootDirectory) throws(LaunchFailure) {
        try MountRules.check(mount, sharedDirectory: ground.sharedDirectory)
        let what = "error mounting \"\(mount.sourceName)\" to rootfs at \"\(mount.destination)\""
        let target = try openTarget(of: mount, in: root, what)
        let isLater = mount.attributes.contains(.readOnly) && mount.isFilledLater
        let copy = try step(.mount, what) { () throws(Errno) in
            let copy = try source(of: mount, target: target)
            try setAttributes(of: mount, on: copy.rawValue, without: isLater ? .readOnly : [])
            return copy
        }
        if case .fileSystem(_, _, _, true) = mount.source {
            try step(.mount, "\(what): copying up") { () throws(Errno) in
                try TreeCopy.copy(from: target.rawValue, to: copy.rawValue)
            }
        }
        try step(.mount, what) { () throws(Errno) in
            try Mount.attach(copy.rawValue, on: target.rawValue)
            guard let propagation = mount.propagation else { return }
            try Mount.setAttributes(
                at: copy.rawValue, propagation: Mount.Propagation(propagation),
                recursive: mount.propagationIsRecursive)
        }
        if isLater { laterReadOnly.append(copy.release()) }
    }

    /// The place the mount goes to, made where it is missing.
    private func openTarget(
        of mount: MountPlan, in root: borrowing RootDirectory, _ what: String
    ) throws(LaunchFailure) -> FileDescriptor {
        var missing = RootDirectory.Missing.directories
        var followsLast = true
        switch mount.source {
        case .shared(_, true, _): missing = .file
        case .guest(let path, _) where !MountRules.isDirectory(path): missing = .file
        case .fileSystem(let type, _, _, _) where type == "proc" || type == "sysfs": followsLast = false
        default: break
        }
        let target = try step(.mount, what) { () throws(Errno) in
            try root.open(mount.destination, followsLast: followsLast, creating: missing)
        }
        if !followsLast, (try? Directory.isDirectory(target.rawValue)) != true {
            throw LaunchFailure(
                .mount, "\(what): filesystem \"\(mount.sourceName)\" must be mounted on ordinary directory",
                errno: ENOTDIR)
        }
        return target
    }

    /// The detached mount.
    private func source(
        of mount: MountPlan, target: borrowing FileDescriptor
    ) throws(Errno) -> FileDescriptor {
        switch mount.source {
        case .fileSystem(let type, let source, var options, _):
            if type == "tmpfs", !options.contains(where: { $0.hasPrefix("mode=") }) {
                // It looks like the directory it covers.
                options.append("mode=\(String(try FileNode.status(of: target.rawValue).permissions, radix: 8))")
            }
            return try Mount.make(type, source: source.isEmpty ? nil : source, options: options)
        case .cgroup where plan.namespaces.contains { $0.kind == .cgroup }:
            return try Mount.make("cgroup2", source: "cgroup")
        case .cgroup:
            return try Mount.copy("", at: ground.cgroup, recursive: true)
        case .shared(let path, let isFile, let recursive):
            // Asking for a directory enters the mount that it is to the host; otherwise that would be mounted on
            // the copy later, a second time.
            let file = try FileDescriptor.open(
                path, at: ground.sharedDirectory, isFile ? .path : [.path, .directory],
                resolve: [.beneath, .noSymlinks])
            return try Mount.copy("", at: file.rawValue, recursive: recursive)
        case .guest(let path, let recursive):
            return try Mount.copy(path, recursive: recursive)
        }
    }

    private func setAttributes(
        of mount: MountPlan, on copy: Int32, without later: MountAttributes
    ) throws(Errno) {
        let attributes = mount.attributes.subtracting(later)
        if !attributes.isEmpty {
            try Mount.setAttributes(at: copy, set: attributes.mount, clear: attributes.clearedFirst)
        }
        if !mount.recursiveSet.isEmpty || !mount.recursiveClear.isEmpty {
            try Mount.setAttributes(
                at: copy, set: mount.recursiveSet.mount,
                clear: mount.recursiveClear.mount.union(mount.recursiveSet.clearedFirst), recursive: true)
        }
    }

    /// What had to stay writable until now.
    mutating func finish() throws(LaunchFailure) {
        for number in laterReadOnly {
            try step(.mount, "remount read-only") { () throws(Errno) in
                try Mount.setAttributes(at: number, set: .readOnly)
            }
            _ = FileDescriptor(owning: number)
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
        case .guest(let path, _): path
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

    /// The kernel wants the old access-time mode cleared when a new one is set.
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
