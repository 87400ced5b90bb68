// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Linux
import SandboxPlan

/// A container's files as the host has them, for who enters the namespaces of the process that stands for it: its root,
/// and what of the host is mounted there. What only the guest has (tmpfs, sysfs, devpts …) is an empty directory
/// that takes nothing, so that nobody writes to what it covers. Programs in there do not run on the host.
struct HostView: ~Copyable {
    static let attributes: Mount.Attributes = [.noSetUID, .noDevices, .noExecute]
    /// Enough for places to mount on.
    private static let coverOptions = ["mode=0755", "size=1m", "nr_inodes=4096"]

    let root: RootDirectory
    private let isReadOnly: Bool
    private var covers = DescriptorList()
    private var coverDevices: Set<UInt64> = []
    /// The first thing that could not be mounted, and why.
    private(set) var problem: String?

    /// Takes over `root`, a detached mount, and attaches it over the directory `place`; nil is an empty one. One that is
    /// to be read-only becomes so when all places to mount on are made.
    init(root mount: BorrowedDescriptor?, isReadOnly: Bool, over place: String) throws(Errno) {
        self.isReadOnly = isReadOnly
        if let mount { try Mount.setAttributes(at: mount, clear: .readOnly) }
        let slash = try FileDescriptor.open("/", [.path, .directory])
        try Mount.setAttributes(at: slash.borrowed, propagation: .private, recursive: true)
        let target = try FileDescriptor.open(place, [.path, .directory, .noFollow])
        let top = if let mount { FileDescriptor(owning: mount) } else { try Self.makeCover() }
        try Mount.attach(top.borrowed, on: target.borrowed)
        if mount == nil {
            covers.append(try top.duplicate())
            coverDevices.insert(try Directory.device(of: top.borrowed))
        }
        root = RootDirectory(descriptor: top)
    }

    /// Makes the mounts in their order. One that cannot be made is noted as the ``problem``.
    mutating func add(_ mounts: [MountPlan], _ shares: [FileServerProcess.Share]) {
        for mount in mounts {
            do throws(Errno) {
                try add(mount, shares)
            } catch {
                problem = problem ?? "mount \(mount.destination): \(error)"
            }
        }
    }

    private mutating func add(_ mount: MountPlan, _ shares: [FileServerProcess.Share]) throws(Errno) {
        switch mount.source {
        case .shared(let path, let isFile, _):
            // An overlay is mounted once, for the guest.
            guard let share = shares.first(where: { $0.path == path }) else { return try cover(mount.destination) }
            let place = try root.open(mount.destination, creating: isFile ? .file : .directories)
            try Mount.attach(share.mount, on: place.borrowed)
        case .fileSystem("proc", _, _, _):
            // It shows the processes that stand for the container's, and changes nothing of the host.
            let place = try root.open(mount.destination, followsLast: false, creating: .directories)
            let tree = try Mount.make("proc", attributes: Self.attributes.union(.readOnly))
            try Mount.attach(tree.borrowed, on: place.borrowed)
        case .fileSystem("tmpfs", _, let options, _):
            if !options.contains(where: { $0.utf8.starts(with: "mode=".utf8) }) { try makeScratch(mount.destination) }
            try cover(mount.destination)
        case .socket: try cover(mount.destination, creating: .file)
        default: try cover(mount.destination)
        }
    }

    /// Makes the directory that a tmpfs is to be mounted on in the guest, if it is missing. A tmpfs looks like what
    /// it covers, and over a directory that had to be made it is writable for all.
    private func makeScratch(_ destination: String) throws(Errno) {
        if (try? root.open(destination)) != nil { return }
        let place = try root.openParent(of: destination)
        try Directory.make(place.name, at: place.directory.borrowed)
        try FileNode.setPermissions(0o1777, of: place.name, at: place.directory.borrowed)
    }

    private mutating func cover(
        _ destination: String, creating missing: RootDirectory.Missing = .directories
    ) throws(Errno) {
        let place = try root.open(destination, creating: missing)
        // Below another cover there is nothing to be covered.
        if coverDevices.contains(try Directory.device(of: place.borrowed)) { return }
        guard try Directory.isDirectory(place.borrowed) else {
            let file = try Mount.copy("", at: place.borrowed, recursive: false)
            try Mount.setAttributes(
                at: file.borrowed, set: Self.attributes.union(.readOnly), propagation: .private)
            return try Mount.attach(file.borrowed, on: place.borrowed)
        }
        let tree = try Self.makeCover()
        try Mount.attach(tree.borrowed, on: place.borrowed)
        coverDevices.insert(try Directory.device(of: tree.borrowed))
        if destination.pathNames == ["dev"] { try addDevices(tree.borrowed) }
        covers.append(tree)
    }

    private static func makeCover() throws(Errno) -> FileDescriptor {
        try Mount.make("tmpfs", source: "guest", options: coverOptions, attributes: attributes)
    }

    /// Those that any program may open, the host's: who enters has its own use for them.
    private func addDevices(_ directory: BorrowedDescriptor) throws(Errno) {
        for name in ["null", "zero", "full", "random", "urandom"] {
            let device = try Mount.copy("/dev/\(name)", recursive: false)
            try Mount.setAttributes(at: device.borrowed, set: [.noSetUID, .noExecute], propagation: .private)
            _ = try FileDescriptor.open(name, at: directory, [.create, .exclusive, .noFollow], mode: 0o444)
            try Mount.attach(device.borrowed, on: directory, path: name)
        }
    }

    /// Nothing more is mounted: what covers takes nothing from here on.
    func seal() throws(Errno) {
        for cover in covers.borrowed { try Mount.setAttributes(at: cover, set: .readOnly) }
        if isReadOnly { try Mount.setAttributes(at: root.descriptor.borrowed, set: .readOnly) }
    }
}
