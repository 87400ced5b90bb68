import CLinux
import Linux

/// An overlay to be mounted.
struct Overlay {
    let mount: RootMount
    let words: MountWords
    let options: OverlayOptions

    init(_ mount: RootMount, _ words: MountWords, options: OverlayOptions) {
        (self.mount, self.words, self.options) = (mount, words, options)
    }

    /// Makes it on `target`: layer by layer, or, where the kernel takes them in one list only (before Linux 6.7), so.
    ///
    /// - Parameter reopen: opens the target again, which then is the root of what was mounted.
    /// - Returns: open on the mount's root.
    func make(
        on target: borrowing FileDescriptor, reopen: () throws(TaskRootfsError) -> FileDescriptor
    ) throws(TaskRootfsError) -> FileDescriptor {
        try checkDirectories()
        do throws(TaskRootfsError) {
            return try makeLayered(on: target)
        } catch {
            guard Self.isOlderKernels(error) else { throw error }
            try makeAtOnce(on: target)
            return try TaskRootfs.spread(try reopen(), mount, words)
        }
    }

    /// An old kernel does not know `lowerdir+`, and of why it says nothing, or just that.
    private static func isOlderKernels(_ error: TaskRootfsError) -> Bool {
        switch error {
        case .option("lowerdir+", _, .invalidArgument, _): true
        case .mount(_, _, _, .invalidArgument, let detail): detail.isEmpty || detail.contains("lowerdir+")
        default: false
        }
    }

    /// So that an error names the directory, which overlayfs would not.
    private func checkDirectories() throws(TaskRootfsError) {
        for (option, path) in options.directories {
            do {
                _ = try FileDescriptor.open(path, [.path, .directory])
            } catch {
                throw .directory(option: option, path: path, error)
            }
        }
    }

    func makeLayered(on target: borrowing FileDescriptor) throws(TaskRootfsError) -> FileDescriptor {
        let context: FileSystemContext
        do {
            context = try FileSystemContext("overlay")
        } catch {
            throw TaskRootfs.failure(mount, error)
        }
        try TaskRootfs.set("source=overlay", context, type: "overlay")
        for path in options.lower { try set("lowerdir+", path, context) }
        for path in options.data { try set("datadir+", path, context) }
        // These two alone take escapes.
        if let path = options.upper { try set("upperdir", OverlayOptions.escaped(path), context) }
        if let path = options.work { try set("workdir", OverlayOptions.escaped(path), context) }
        for word in words.superblock + options.others { try TaskRootfs.set(word, context, type: "overlay") }
        if words.attributes.contains(.readOnly) { try TaskRootfs.set("ro", context, type: "overlay") }
        return try TaskRootfs.attach(try TaskRootfs.create(context, mount, words), mount, words, on: target)
    }

    private func set(
        _ key: String, _ path: String, _ context: borrowing FileSystemContext
    ) throws(TaskRootfsError) {
        // A path too long for fsconfig(2) is named by a descriptor on it, for as long as it is looked up.
        var handle: Int32?
        defer { if let handle { _ = FileDescriptor(owning: handle) } }
        do throws(Errno) {
            var value = path
            if path.utf8.count > FileSystemContext.valueLimit {
                let file = try FileDescriptor.open(path, [.path, .directory]).release()
                handle = file
                value = "/proc/self/fd/\(file)"
            }
            try context.set(key, to: value)
        } catch {
            throw .option(key, type: "overlay", error, detail: context.messages().joined(separator: "; "))
        }
    }

    /// mount(2) takes a page of options, so that names are told from the directory they have in common.
    func makeAtOnce(on target: borrowing FileDescriptor) throws(TaskRootfsError) {
        let parent = Self.commonParent(options.lower + options.data)
        var names = options.lower.map { String($0.dropFirst(parent.count)) }.map(OverlayOptions.escaped)
        var list = names.joined(separator: ":")
        names = options.data.map { String($0.dropFirst(parent.count)) }.map(OverlayOptions.escaped)
        for name in names { list += "::" + name }
        var data = ["lowerdir=" + list]
        if let path = options.upper { data.append("upperdir=" + OverlayOptions.escaped(path)) }
        if let path = options.work { data.append("workdir=" + OverlayOptions.escaped(path)) }
        let text = (data + options.others).joined(separator: ",")
        guard text.utf8.count < 4096 else {
            throw .tooLong(what: "options of an overlay", byteCount: text.utf8.count, limit: 4095)
        }
        do throws(Errno) {
            let previous = try FileDescriptor.open(".", [.path, .directory])
            let place = "/proc/self/fd/\(target.rawValue)"
            try Process.changeDirectory(to: parent)
            defer { try? Process.changeDirectory(to: previous.rawValue) }
            try Mount.makeAtOnce("overlay", source: "overlay", on: place, flags: flags, data: text)
        } catch {
            throw TaskRootfs.failure(mount, error)
        }
    }

    /// The directory that all `paths` lie in, with a slash at its end.
    static func commonParent(_ paths: [String]) -> String {
        guard let first = paths.first else { return "/" }
        var common = first.utf8.prefix(first.utf8.count)
        for path in paths.dropFirst() {
            let count = zip(common, path.utf8).prefix { $0 == $1 }.count
            common = common.prefix(count)
        }
        guard let slash = common.lastIndex(of: UInt8(ascii: "/")) else { return "/" }
        return String(first[...slash])
    }

    private var flags: UInt {
        let table: [(Mount.Attributes, UInt)] = [
            (.readOnly, CL_MS_RDONLY), (.noSetUID, CL_MS_NOSUID), (.noDevices, CL_MS_NODEV),
            (.noExecute, CL_MS_NOEXEC), (.noAccessTime, CL_MS_NOATIME), (.strictAccessTime, CL_MS_STRICTATIME),
            (.noDirectoryAccessTime, CL_MS_NODIRATIME), (.noSymlinkFollow, CL_MS_NOSYMFOLLOW),
        ]
        var flags = table.reduce(0) { words.attributes.contains($1.0) ? $0 | $1.1 : $0 }
        if words.superblock.contains("sync") { flags |= CL_MS_SYNCHRONOUS }
        if words.superblock.contains("dirsync") { flags |= CL_MS_DIRSYNC }
        if words.superblock.contains("lazytime") { flags |= CL_MS_LAZYTIME }
        return flags
    }
}
