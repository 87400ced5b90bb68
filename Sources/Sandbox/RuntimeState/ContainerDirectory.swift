// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import OCISpec

/// A container's folder, locked: no other process changes it until this value goes. Files are 0600 and replaced whole.
public struct ContainerDirectory: ~Copyable, Sendable {
    /// The name of the record's file.
    public static let recordName = "state.json"
    /// The copy of the bundle's document that exec takes its defaults from.
    public static let configName = "config.json"
    /// Bytes of the longest file read here, as of a document.
    static let fileLimit = 4 << 20

    /// The container's id.
    public let id: ContainerID
    /// Absolute.
    public let path: String
    let descriptor: FileDescriptor

    /// - Throws: `doesNotExist` where none has been written, or the container has been deleted meanwhile.
    public borrowing func record() throws(RuntimeStateError) -> ContainerRecord {
        try Self.record(id: id, at: descriptor.borrowed, path: path)
    }

    /// Replaces the record in one step: a reader sees the old or the new one.
    public borrowing func write(_ record: ContainerRecord) throws(RuntimeStateError) {
        try write(record.encoded(path: "\(path)/\(Self.recordName)"), to: Self.recordName)
    }

    /// The whole of a file of the folder.
    public borrowing func read(_ name: String) throws(RuntimeStateError) -> [UInt8] {
        try Self.read(name, at: descriptor.borrowed, path: path)
    }

    /// Makes or replaces a file of the folder; readers see the old one or the new one.
    public borrowing func write(_ bytes: [UInt8], to name: String) throws(RuntimeStateError) {
        // One writer at a time: the folder is locked. What a killed one left is overwritten.
        let temporary = ".\(name).new"
        do {
            let file = try FileDescriptor.open(
                temporary, at: descriptor.borrowed, [.writeOnly, .create, .truncate, .noFollow], mode: 0o600)
            try file.writeAll(bytes)
        } catch {
            throw .files(.write, path: "\(path)/\(temporary)", error)
        }
        do {
            try Directory.rename(temporary, to: name, at: descriptor.borrowed)
        } catch {
            throw .files(.rename, path: "\(path)/\(name)", error)
        }
    }

    /// Removes the folder and all that is in it, the lock with it. Neither links nor mounts are followed: where
    /// something is still mounted, what is mounted there is kept and the error names it.
    public consuming func remove() throws(RuntimeStateError) {
        try Self.removeContents(of: descriptor.borrowed, path: path, depth: 0)
        do {
            try Directory.remove(path, isDirectory: true)
        } catch {
            if error == .noSuchFile { return }
            throw error == .busy ? .mounted(path: path) : .files(.remove, path: path, error)
        }
    }

    static func record(
        id: ContainerID, at folder: BorrowedDescriptor, path: String
    ) throws(RuntimeStateError) -> ContainerRecord {
        let record: ContainerRecord
        do {
            record = try .parse(read(recordName, at: folder, path: path), path: "\(path)/\(recordName)")
        } catch .files(.open, _, .noSuchFile) {
            throw .doesNotExist
        }
        guard record.id == id.rawValue else {
            throw .corrupt(path: "\(path)/\(recordName)", reason: "it is of another container")
        }
        return record
    }

    static func read(_ name: String, at folder: BorrowedDescriptor, path: String) throws(RuntimeStateError) -> [UInt8] {
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(name, at: folder, [.noFollow, .nonBlocking])
        } catch {
            throw .files(.open, path: "\(path)/\(name)", error)
        }
        do { return try file.readAll(limit: fileLimit) } catch { throw .files(.read, path: "\(path)/\(name)", error) }
    }

    private static func removeContents(
        of folder: BorrowedDescriptor, path: String, depth: Int
    ) throws(RuntimeStateError) {
        let entries: [Directory.Entry]
        do { entries = try Directory.entries(of: folder) } catch { throw .files(.list, path: path, error) }
        for entry in entries {
            let place = "\(path)/\(entry.name)"
            do {
                if entry.isDirectory {
                    guard depth < 32 else { throw Errno.tooManyLinks }
                    // RESOLVE_NO_XDEV stops at mounts, binds of the same file system included.
                    let below = try FileDescriptor.open(
                        entry.name, at: folder, [.directory, .noFollow], resolve: [.noCrossMount, .noSymlinks])
                    try removeContents(of: below.borrowed, path: place, depth: depth + 1)
                }
                try Directory.remove(entry.name, at: folder, isDirectory: entry.isDirectory)
            } catch let error as RuntimeStateError {
                throw error
            } catch let error as Errno {
                if error == .busy || error == Errno(rawValue: EXDEV) { throw .mounted(path: place) }
                throw .files(.remove, path: place, error)
            } catch {
                // Nothing else is thrown above.
                throw .files(.remove, path: place, .inputOutput)
            }
        }
    }
}
