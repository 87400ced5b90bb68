import OCISpec
public import SandboxPlan

/// A disk of the sandbox, as the host has it.
public struct HostDisk: Hashable, Sendable {
    /// Absolute: a regular file or a block device.
    public var path: String
    /// As ``DiskPlan/serial``.
    public var serial: String
    public var isReadOnly: Bool

    public init(path: String, serial: String, isReadOnly: Bool) {
        self.path = path
        self.serial = serial
        self.isReadOnly = isReadOnly
    }
}

extension DiskMount {
    /// The serial of the disk that holds the root of the container of this directory in the shared tree.
    public static func serial(ofRoot shareName: String) -> String { "root-\(shareName)" }

    /// What mount(8)'s words for a disk mean.
    ///
    /// - Parameters:
    ///   - type: the file system's name. It is never guessed.
    ///   - options: the flags of mount(2) and the file system's own. `loop` says how a host would mount a file, and
    ///     means nothing here.
    ///   - isReadOnly: as the option `ro`.
    /// - Throws: `.fileSystem`, `.diskOption` with what is not known here or means nothing for a root file system.
    public init(serial: String, type: String, options: [String], isReadOnly: Bool) throws(PlanningError) {
        guard let fileSystem = DiskFileSystem(name: type) else { throw .fileSystem(type) }
        let own = options.filter { $0 != "loop" }
        for option in own {
            let alone = MountOptions([option])
            guard
                !alone.isBind, !alone.isRemount, !alone.copiesUp, !alone.isIDMapped, alone.propagation.isEmpty,
                alone.recursiveSet.isEmpty, alone.recursiveClear.isEmpty, !option.utf8.contains(0)
            else { throw .diskOption(option) }
        }
        let meaning = MountOptions(own)
        self.init(
            serial: serial, fileSystem: fileSystem, options: meaning.fileSystemOptions,
            attributes: meaning.set.attributes.subtracting(.readOnly),
            isReadOnly: isReadOnly || meaning.set.contains(.readOnly) || fileSystem.isAlwaysReadOnly)
    }
}
