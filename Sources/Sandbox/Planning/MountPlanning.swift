// SPDX-License-Identifier: Apache-2.0
import OCISpec
import SandboxPlan

extension MountPlan {
    /// The mount as the guest makes it and, for a bind, what of the host it shows: a share, or a socket's path.
    static func planning(
        _ mount: Spec.Mount, index: Int, bundlePath: String, sharedPath: String,
        kind: (String) throws -> BundlePlan.FileKind
    ) throws(PlanningError) -> (MountPlan, Share?, socket: String?) {
        let options = MountOptions(mount.options)
        var share: Share?
        var socket: String?
        let source: MountSource
        if options.isBind || mount.type == "bind" || mount.type == "rbind" {
            let (path, kind) = try Self.source(of: mount, index: index, bundlePath: bundlePath, kind: kind)
            if let propagation = options.propagation.last, propagation.kind == .shared {
                let word = propagation.isRecursive ? "rshared" : "shared"
                throw .field(
                    path: "mounts[\(index)].options",
                    problem: "\"\(word)\": what is mounted in a virtual machine cannot appear on the host")
            }
            if kind == .socket {
                socket = path
                source = .socket(HostSocket(port: 0, token: [], mode: 0, uid: 0, gid: 0))
            } else {
                let made = Share(path, mount, options, sharedPath: sharedPath, kind)
                share = made
                source = .shared(path: made.sharedPath, isFile: made.isFile, recursive: made.isRecursive)
            }
        } else if mount.type == "overlay" {
            let made = Share(overlay: mount, options, sharedPath: sharedPath)
            share = made
            source = .shared(path: made.sharedPath, isFile: false, recursive: false)
        } else if mount.type == "cgroup" || mount.type == "cgroup2" {
            source = .cgroup
        } else {
            source = .fileSystem(
                type: mount.type, source: mount.source.isEmpty ? mount.type : mount.source,
                options: options.fileSystemOptions, copiesUp: options.copiesUp)
        }
        var plan = MountPlan(destination: mount.destination, source: source, attributes: options.set.attributes)
        plan.recursiveSet = options.recursiveSet.attributes
        plan.recursiveClear = options.recursiveClear.attributes
        // The default, relatime, is the absence of the other two.
        if options.recursiveSet.contains(.relATime) {
            plan.recursiveClear.formUnion([.noAccessTime, .strictAccessTime])
        }
        plan.propagation = options.propagation.last?.plan
        plan.propagationIsRecursive = options.propagation.last?.isRecursive ?? false
        return (plan, share, socket)
    }

    /// What a bind mount shows of the host, and what that is.
    private static func source(
        of mount: Spec.Mount, index: Int, bundlePath: String, kind: (String) throws -> BundlePlan.FileKind
    ) throws(PlanningError) -> (path: String, BundlePlan.FileKind) {
        guard !mount.source.isEmpty else {
            throw .field(path: "mounts[\(index)].source", problem: "a bind mount needs a source")
        }
        let path = mount.source.isAbsolutePath ? mount.source : bundlePath + "/" + mount.source
        let found: BundlePlan.FileKind
        do {
            found = try kind(path)
        } catch {
            throw .mountSource(index: index, path: path, reason: "\(error)")
        }
        // In the guest they would be there, and lead nowhere.
        let unreachable: String? =
            switch found {
            case .fifo: "a fifo of the host cannot be reached from a virtual machine; a unix stream socket can"
            case .datagramSocket: "a datagram socket of the host cannot be reached from a virtual machine"
            case .packetSocket: "a seqpacket socket of the host cannot be reached from a virtual machine"
            case .directory, .cgroup, .socket, .other: nil
            }
        if let unreachable { throw .mountSource(index: index, path: path, reason: unreachable) }
        return (path, found)
    }
}

extension Share {
    /// The host makes it: its directories are there, and what is written to the upper one is to be there, too.
    init(overlay mount: Spec.Mount, _ options: MountOptions, sharedPath: String) {
        source = mount.source.isEmpty ? "overlay" : mount.source
        overlayOptions = options.words + options.superblockWords
        self.sharedPath = sharedPath
        isFile = false
        isRecursive = false
        isReadOnly = options.set.contains(.readOnly) || options.recursiveSet.contains(.readOnly)
        isRecursivelyReadOnly = false
    }

    init(
        _ path: String, _ mount: Spec.Mount, _ options: MountOptions, sharedPath: String, _ kind: BundlePlan.FileKind
    ) {
        source = path
        isFile = kind != .directory && kind != .cgroup
        isOfCgroups = kind == .cgroup
        self.sharedPath = sharedPath
        isRecursive = options.isRecursiveBind || mount.type == "rbind"
        isReadOnly = options.set.contains(.readOnly) || options.recursiveSet.contains(.readOnly)
        isRecursivelyReadOnly = options.recursiveSet.contains(.readOnly)
        // In runc what lies beneath follows with it, whether or not the word is rslave.
        followsHost = options.propagation.last?.kind == .slave
    }
}

extension MountOptions {
    /// The options of the file system itself: its data, and the flags that are the superblock's.
    var fileSystemOptions: [String] {
        data.utf8.split(separator: UInt8(ascii: ",")).map { String(decoding: Array($0), as: UTF8.self) }
            + superblockWords
    }

    /// The flags that are the superblock's.
    var superblockWords: [String] {
        var words: [String] = []
        if set.contains(.synchronous) { words.append("sync") }
        if set.contains(.directorySync) { words.append("dirsync") }
        if set.contains(.lazyTime) { words.append("lazytime") }
        return words
    }
}

extension MountOptions.Flags {
    var attributes: MountAttributes {
        let table: [(MountOptions.Flags, MountAttributes)] = [
            (.readOnly, .readOnly), (.noSUID, .noSetUID), (.noDev, .noDevices), (.noExec, .noExecute),
            (.noATime, .noAccessTime), (.strictATime, .strictAccessTime), (.noDirATime, .noDirectoryAccessTime),
            (.noSymFollow, .noSymlinkFollow),
        ]
        return table.reduce(into: []) { if contains($1.0) { $0.insert($1.1) } }
    }
}

extension MountOptions.Propagation {
    var plan: MountPropagation {
        switch kind {
        case .private: .private
        case .shared: .shared
        case .slave: .slave
        case .unbindable: .unbindable
        }
    }
}
