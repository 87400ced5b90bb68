// SPDX-License-Identifier: Apache-2.0
public import Linux

/// An overlay of directories of the host.
public struct OverlayMount {
    /// Layers and options of the overlay.
    public let options: OverlayOptions
    /// Of the file system as a whole, whatever its kind: `sync` and its kin.
    public var superblock: [String]
    /// Attributes of the mount, of mount_setattr(2).
    public var attributes: Mount.Attributes

    /// An overlay of the layers in `options`; `superblock` has further options of the file system.
    public init(_ options: OverlayOptions, superblock: [String] = [], attributes: Mount.Attributes = []) {
        self.options = options
        self.superblock = superblock
        self.attributes = attributes
    }

    /// Makes it, attached nowhere yet: layer by layer, or, where the kernel takes them in one list only (before Linux
    /// 6.7), so. Each directory is opened once, and named to the kernel by its descriptor, whatever its path holds.
    public func make() throws(OverlayError) -> FileDescriptor {
        let directories = try Directories(options)
        do throws(OverlayError) {
            return try make(directories, inOneList: false)
        } catch {
            guard Self.isOlderKernels(error) else { throw error }
            return try make(directories, inOneList: true)
        }
    }

    func make(inOneList: Bool) throws(OverlayError) -> FileDescriptor {
        try make(Directories(options), inOneList: inOneList)
    }

    private func make(
        _ directories: borrowing Directories, inOneList: Bool
    ) throws(OverlayError) -> FileDescriptor {
        let context: FileSystemContext
        do {
            context = try FileSystemContext("overlay")
        } catch {
            throw .mount(error, detail: "")
        }
        try Self.set("source", "overlay", context)
        if inOneList {
            try Self.set("lowerdir", directories.list(), context)
        } else {
            for layer in directories.lower.borrowed { try Self.set("lowerdir+", layer.path, context) }
            for layer in directories.data.borrowed { try Self.set("datadir+", layer.path, context) }
        }
        if let upper = directories.upperName { try Self.set("upperdir", upper, context) }
        if let work = directories.workName { try Self.set("workdir", work, context) }
        for word in superblock + options.others {
            let parts = word.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(decoding: Array(parts[1]), as: UTF8.self) : nil
            try Self.set(String(decoding: Array(parts[0]), as: UTF8.self), value, context, as: word)
        }
        if attributes.contains(.readOnly) { try Self.set("ro", nil, context) }
        do {
            return try context.mount(attributes)
        } catch {
            throw .mount(error, detail: context.messages().joined(separator: "; "))
        }
    }

    /// - Parameter word: the option as it was given.
    private static func set(
        _ key: String, _ value: String?, _ context: borrowing FileSystemContext, as word: String? = nil
    ) throws(OverlayError) {
        do throws(Errno) {
            if let value, value.utf8.count > FileSystemContext.valueLimit { throw .nameTooLong }
            try context.set(key, to: value)
        } catch {
            throw .option(word ?? key, error, detail: context.messages().joined(separator: "; "))
        }
    }

    /// An old kernel does not know `lowerdir+`, and of why it says nothing, or just that.
    private static func isOlderKernels(_ error: OverlayError) -> Bool {
        switch error {
        case .option("lowerdir+", .invalidArgument, _): true
        case .mount(.invalidArgument, let detail): detail.isEmpty || detail.contains("lowerdir+")
        default: false
        }
    }
}

/// The directories of an overlay, open.
private struct Directories: ~Copyable {
    private(set) var lower = DescriptorList()
    private(set) var data = DescriptorList()
    private var upper: FileDescriptor?
    private var work: FileDescriptor?

    init(_ options: OverlayOptions) throws(OverlayError) {
        for path in options.lower { lower.append(try Self.open(path, "lowerdir")) }
        for path in options.data { data.append(try Self.open(path, "lowerdir")) }
        if let path = options.upper { upper = try Self.open(path, "upperdir") }
        if let path = options.work { work = try Self.open(path, "workdir") }
    }

    /// The names by which the kernel takes them.
    var upperName: String? { Self.name(upper) }
    var workName: String? { Self.name(work) }

    private static func name(_ directory: borrowing FileDescriptor?) -> String? {
        switch directory {
        case .none: nil
        case .some(let directory): directory.borrowed.path
        }
    }

    func list() throws(OverlayError) -> String {
        let list = lower.borrowed.map(\.path).joined(separator: ":") + data.borrowed.map { "::" + $0.path }.joined()
        guard list.utf8.count <= FileSystemContext.valueLimit else {
            throw .listTooLong(byteCount: list.utf8.count, limit: FileSystemContext.valueLimit)
        }
        return list
    }

    private static func open(_ path: String, _ option: String) throws(OverlayError) -> FileDescriptor {
        do {
            return try FileDescriptor.open(path, [.path, .directory])
        } catch {
            throw .directory(option: option, path: path, error)
        }
    }
}
