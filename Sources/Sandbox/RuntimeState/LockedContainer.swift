// SPDX-License-Identifier: Apache-2.0
/// A container whose folder is locked, with its record as it is kept there: what changes is written down at once.
public struct LockedContainer: ~Copyable, Sendable {
    public let directory: ContainerDirectory
    public private(set) var record: ContainerRecord

    /// Takes over a folder in which `record` has not been written yet; the first ``update(_:)`` does.
    public init(_ directory: consuming ContainerDirectory, _ record: ContainerRecord) {
        self.directory = directory
        self.record = record
    }

    /// Takes over a container's folder and reads its record.
    ///
    /// - Throws: as ``ContainerDirectory/record()``.
    public init(_ directory: consuming ContainerDirectory) throws(RuntimeStateError) {
        record = try directory.record()
        self.directory = directory
    }

    /// Changes the record and writes it. The change holds here even where it could not be written: whatever was about
    /// to be made is still to be taken away.
    public mutating func update(_ change: (inout ContainerRecord) -> Void) throws(RuntimeStateError) {
        change(&record)
        try directory.write(record)
    }

    /// See ``ContainerDirectory/remove()``.
    public consuming func remove() throws(RuntimeStateError) {
        try directory.remove()
    }

    /// The folder, still locked.
    public consuming func takeDirectory() -> ContainerDirectory { directory }
}
