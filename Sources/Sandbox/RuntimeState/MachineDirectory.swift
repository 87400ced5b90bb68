// SPDX-License-Identifier: Apache-2.0
import Linux

/// The folder of a virtual machine is that of the container it was made for. Where that one is deleted while others run
/// in the machine, the folder stays, under a name that no container can have: the next container may have the id.
extension StateRoot {
    /// The folder of the machine that the container of `record` runs in, absolute.
    public func machinePath(of record: ContainerRecord) -> String {
        leftPath(of: record) ?? "\(path)/\(record.sandboxID)"
    }

    /// The record of the container that the machine was made for, which may have been deleted since.
    ///
    /// - Throws: `doesNotExist` where the machine has gone.
    public func machineRecord(of record: ContainerRecord) throws(RuntimeStateError) -> ContainerRecord {
        let id = try ContainerID(record.sandboxID)
        let place = machinePath(of: record)
        let folder = try open(id, place)
        let found = try ContainerDirectory.record(id: id, at: folder.borrowed, path: place)
        // Another machine may have the name by now.
        guard found.supervisor == record.supervisor else { throw .doesNotExist }
        return found
    }

    /// As ``lockContainer(_:)``, of the machine's folder.
    public func lockMachine(of record: ContainerRecord) throws(RuntimeStateError) -> LockedContainer {
        try LockedContainer(lock(ContainerID(record.sandboxID), at: machinePath(of: record)))
    }

    /// As ``lockMachine(of:)``; nil where the machine still is its first container's, or has gone.
    public func lockLeftMachine(of record: ContainerRecord) throws(RuntimeStateError) -> LockedContainer? {
        guard let place = leftPath(of: record) else { return nil }
        do {
            return try LockedContainer(lock(ContainerID(record.sandboxID), at: place))
        } catch .doesNotExist {
            return nil
        }
    }

    /// Renames the folder of the first container of the machine of `supervisor`, who leaves it to others.
    public func leave(
        _ directory: borrowing ContainerDirectory, to supervisor: ProcessIdentity
    ) throws(RuntimeStateError) {
        let name = Self.leftName(supervisor)
        do {
            let root = try FileDescriptor.open(path, .directory)
            try Directory.rename(directory.id.rawValue, to: name, at: root.borrowed)
        } catch {
            throw .files(.rename, path: "\(path)/\(name)", error)
        }
    }

    private func leftPath(of record: ContainerRecord) -> String? {
        guard record.isMember, let supervisor = record.supervisor else { return nil }
        let place = "\(path)/\(Self.leftName(supervisor))"
        return (try? FileDescriptor.open(place, [.path, .directory, .noFollow])) == nil ? nil : place
    }

    /// The machine's name is its first process's, for good.
    private static func leftName(_ supervisor: ProcessIdentity) -> String {
        "@\(supervisor.pid)-\(supervisor.startTime)"
    }
}
