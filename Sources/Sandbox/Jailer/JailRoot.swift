// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// The root directory of a jailed process: an empty tmpfs with a few mounts on it. It is mounted over the root that the
/// process has in its own mount namespace, and then takes its place.
struct JailRoot {
    /// Enough for mount points: nothing else is ever made there.
    static let options = ["mode=0755", "size=1m", "nr_inodes=2048"]
    static let temporaryOptions = ["mode=0755", "size=16m", "nr_inodes=4096"]
    static let attributes: Mount.Attributes = [.noSetUID, .noDevices, .noExecute]

    /// The attributes that a mount gets once every mount point is made.
    struct Seal {
        let path: String
        let mount: BorrowedDescriptor
        /// Of the mount itself; mounts below it in a tree keep what they have.
        let isReadOnly: Bool
        var attributes: Mount.Attributes = []
        /// Mounts below it in the tree get the attributes as well.
        var isTree = false
    }

    /// The mounted tmpfs.
    let root: BorrowedDescriptor
    /// The device numbers of our own file systems, the only ones on which mount points may be made.
    var ownDevices: Set<UInt64>
    var seals: [Seal] = []

    /// Mounts the new root over the old.
    init() throws(JailError) {
        (root, ownDevices) = try attempt(JailError.makeRoot) { () throws(Errno) in
            let tree = try Mount.make("tmpfs", source: "jail", options: Self.options, attributes: Self.attributes)
            let old = try FileDescriptor.open("/", [.path, .directory])
            try Mount.attach(tree.borrowed, on: old.borrowed)
            let device = try Directory.device(of: tree.borrowed)
            return (tree.release(), [device])
        }
        seals.append(Seal(path: "/", mount: root, isReadOnly: true))
    }

    /// Makes the mount point of `mount` and attaches it there. `uid` and `gid` own a new tmpfs.
    mutating func add(_ mount: PreparedMount, uid: UInt32, gid: UInt32) throws(JailError) {
        let path = mount.destination
        let isReadOnly = mount.isReadOnly
        switch mount.source {
        case .tree(let tree, let isFile, let attributes):
            try attach(tree, at: path, isFile: isFile)
            seals.append(Seal(path: path, mount: tree, isReadOnly: isReadOnly, attributes: attributes, isTree: true))
        case .processes:
            let tree = try make("proc", options: ["subset=pid"], at: path)
            seals.append(Seal(path: path, mount: tree, isReadOnly: isReadOnly))
        case .temporary:
            let tree = try make("tmpfs", options: Self.temporaryOptions + ["uid=\(uid)", "gid=\(gid)"], at: path)
            seals.append(Seal(path: path, mount: tree, isReadOnly: isReadOnly))
        case .devices(let nodes):
            let tree = try make("tmpfs", options: Self.options, at: path)
            for node in nodes {
                let nodePath = "\(path)/\(node.name)"
                try attach(node.tree, at: nodePath, isFile: true)
                seals.append(
                    Seal(path: nodePath, mount: node.tree, isReadOnly: false, attributes: [.noSetUID, .noExecute]))
            }
            seals.append(Seal(path: path, mount: tree, isReadOnly: isReadOnly))
        }
    }

    /// A new file system of ours, mounted at `path`.
    mutating func make(_ type: String, options: [String], at path: String) throws(JailError) -> BorrowedDescriptor {
        let (tree, device) = try attempt({ .mount(path: path, $0) }) { () throws(Errno) in
            let tree = try Mount.make(type, source: "jail", options: options, attributes: Self.attributes)
            let device = try Directory.device(of: tree.borrowed)
            return (tree.release(), device)
        }
        ownDevices.insert(device)
        try attach(tree, at: path, isFile: false)
        return tree
    }

    func attach(_ tree: BorrowedDescriptor, at path: String, isFile: Bool) throws(JailError) {
        let place = try place(path, isFile: isFile)
        try attempt({ .mount(path: path, $0) }, try Mount.attach(tree, on: place.borrowed))
    }

    /// Opens the mount point `path`, and makes it if it is missing. No symlink is followed, and nothing is made in a
    /// directory of the host's.
    func place(_ path: String, isFile: Bool) throws(JailError) -> FileDescriptor {
        let names = path.pathNames
        var place = try attempt(
            { .makePlace(path: path, $0) }, try FileDescriptor.open(".", at: root, [.path, .directory]))
        for (index, name) in names.enumerated() {
            let isLastFile = isFile && index == names.count - 1
            let options: OpenOptions = isLastFile ? [.path, .noFollow] : [.path, .noFollow, .directory]
            let parent = place.borrowed
            if let found = try open(name, at: parent, options, path) {
                place = found
                continue
            }
            place = try attempt({ $0 == .notPermitted ? .placeOutsideRoot(path: path) : .makePlace(path: path, $0) }) {
                () throws(Errno) in
                guard ownDevices.contains(try Directory.device(of: parent)) else { throw .notPermitted }
                if isLastFile {
                    _ = try FileDescriptor.open(name, at: parent, [.create, .exclusive, .noFollow], mode: 0o444)
                } else {
                    try Directory.make(name, at: parent)
                }
                return try FileDescriptor.open(name, at: parent, options)
            }
        }
        return place
    }

    /// Opens `name` in `parent`; nil if there is nothing of that name.
    func open(
        _ name: String, at parent: BorrowedDescriptor, _ options: OpenOptions, _ path: String
    ) throws(JailError) -> FileDescriptor? {
        do {
            return try FileDescriptor.open(name, at: parent, options)
        } catch .noSuchFile {
            return nil
        } catch {
            throw .makePlace(path: path, error)
        }
    }

    /// Sets every mount's attributes and makes the new root the only one: nothing else stays reachable.
    func enter() throws(JailError) {
        for seal in seals {
            try attempt({ .sealMount(path: seal.path, $0) }) { () throws(Errno) in
                if seal.isReadOnly { try Mount.setAttributes(at: seal.mount, set: .readOnly) }
                // A tree receives mounts and unmounts of the host if it was made a slave of it; none go back.
                try Mount.setAttributes(
                    at: seal.mount, set: seal.attributes, propagation: seal.isTree ? .slave : .private,
                    recursive: seal.isTree)
            }
        }
        try attempt(JailError.pivot, try Mount.pivot(to: root))
    }
}
