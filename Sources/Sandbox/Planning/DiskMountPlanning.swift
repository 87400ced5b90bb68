// SPDX-License-Identifier: Apache-2.0
import OCISpec
public import SandboxPlan

extension DiskMount {
    /// How the guest mounts `disk`, the root of the container of `shareName` in the shared tree.
    ///
    /// - Throws: as ``init(serial:type:options:isReadOnly:)``.
    public init(root disk: RootDisk, shareName: String) throws(PlanningError) {
        try self.init(
            serial: "root-\(shareName)", type: disk.type, options: disk.options, isReadOnly: disk.isReadOnly)
    }

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
