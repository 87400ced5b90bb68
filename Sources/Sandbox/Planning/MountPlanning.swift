import OCISpec
import SandboxPlan

extension MountPlan {
    /// The mount as the guest makes it and, for a bind, what of the host it shows.
    static func planning(
        _ mount: Spec.Mount, index: Int, bundlePath: String, sharedPath: String,
        kind: (String) throws -> BundlePlan.FileKind
    ) throws(PlanningError) -> (MountPlan, Share?) {
        let options = MountOptions(mount.options)
        var share: Share?
        let source: MountSource
        if options.isBind || mount.type == "bind" || mount.type == "rbind" {
            let made = try Share(
                mount, options, index: index, bundlePath: bundlePath, sharedPath: sharedPath, kind: kind)
            share = made
            source = .shared(path: made.sharedPath, isFile: made.isFile, recursive: made.isRecursive)
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
        plan.propagation = options.propagation.last?.plan
        plan.propagationIsRecursive = options.propagation.last?.isRecursive ?? false
        return (plan, share)
    }
}

extension Share {
    init(
        _ mount: Spec.Mount, _ options: MountOptions, index: Int, bundlePath: String, sharedPath: String,
        kind: (String) throws -> BundlePlan.FileKind
    ) throws(PlanningError) {
        guard !mount.source.isEmpty else {
            throw .field(path: "mounts[\(index)].source", problem: "a bind mount needs a source")
        }
        source = mount.source.hasPrefix("/") ? mount.source : bundlePath + "/" + mount.source
        do {
            isFile = try kind(source) != .directory
        } catch {
            throw .mountSource(index: index, path: source, reason: "\(error)")
        }
        self.sharedPath = sharedPath
        isRecursive = options.isRecursiveBind || mount.type == "rbind"
        isReadOnly = options.set.contains(.readOnly) || options.recursiveSet.contains(.readOnly)
        isRecursivelyReadOnly = options.recursiveSet.contains(.readOnly)
    }
}

extension MountOptions {
    /// What the file system itself is told: its data, and the flags that are the superblock's.
    var fileSystemOptions: [String] {
        var words = data.split(separator: ",").map(String.init)
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
