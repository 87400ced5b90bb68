// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux
import Overlay

/// An overlay to be mounted.
struct Overlay {
    let mount: RootMount
    let words: MountWords
    let options: OverlayOptions

    init(_ mount: RootMount, _ words: MountWords, options: OverlayOptions) {
        (self.mount, self.words, self.options) = (mount, words, options)
    }

    /// Makes it on `target`. Where the kernel takes the layers in one list, that may be too long for all but mount(2).
    ///
    /// - Parameter reopen: opens the target again, which then is the root of what was mounted.
    /// - Returns: open on the mount's root.
    func make(
        on target: borrowing FileDescriptor, reopen: () throws(TaskRootfsError) -> FileDescriptor
    ) throws(TaskRootfsError) -> FileDescriptor {
        let detached: FileDescriptor
        do throws(OverlayError) {
            detached = try OverlayMount(options, superblock: words.superblock, attributes: words.attributes).make()
        } catch .listTooLong {
            try makeAtOnce(on: target)
            return try TaskRootfs.spread(try reopen(), mount, words)
        } catch {
            throw TaskRootfsError(error, mount)
        }
        return try TaskRootfs.attach(detached, mount, words, on: target)
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
            let place = target.borrowed.path
            try Process.changeDirectory(to: parent)
            defer { try? Process.changeDirectory(to: previous.borrowed) }
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
