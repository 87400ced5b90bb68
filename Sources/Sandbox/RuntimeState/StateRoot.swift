// SPDX-License-Identifier: Apache-2.0
import Linux
import OCISpec

/// The directory of `--root`, where each container has a folder of its id's name.
public struct StateRoot: Sendable {
    /// Absolute.
    public let path: String

    /// The state below the directory `path`, which need not exist yet.
    public init(path: String) {
        self.path = path
    }

    /// Makes the container's folder and locks it; an id that is there already is refused. The folder says nothing
    /// of the container until its record is written.
    public func create(_ id: ContainerID) throws(RuntimeStateError) -> ContainerDirectory {
        try makeRoot()
        do {
            try Directory.make("\(path)/\(id)", mode: 0o700)
        } catch {
            throw error == .exists ? .exists : .files(.makeDirectory, path: "\(path)/\(id)", error)
        }
        do {
            return try lock(id)
        } catch {
            // No other process has been in it: it is empty. The first error is the one to report.
            try? Directory.remove("\(path)/\(id)", isDirectory: true)
            throw error
        }
    }

    /// Opens the container's folder once no other process has it locked; it stays locked for as long as what is
    /// returned is kept.
    public func lock(
        _ id: ContainerID, timeoutMilliseconds: Int64 = 10_000
    ) throws(RuntimeStateError) -> ContainerDirectory {
        try lock(id, at: "\(path)/\(id)", timeoutMilliseconds: timeoutMilliseconds)
    }

    /// As ``lock(_:timeoutMilliseconds:)``, with the container's record.
    ///
    /// - Throws: also as ``ContainerDirectory/record()``.
    public func lockContainer(_ id: ContainerID) throws(RuntimeStateError) -> LockedContainer {
        try LockedContainer(lock(id))
    }

    /// - Parameter place: the folder, absolute.
    func lock(
        _ id: ContainerID, at place: String, timeoutMilliseconds: Int64 = 10_000
    ) throws(RuntimeStateError) -> ContainerDirectory {
        let folder = try open(id, place)
        let start = SystemTime.monotonicNanoseconds()
        while true {
            let isLocked: Bool
            do { isLocked = try folder.tryLock() } catch { throw .files(.lock, path: place, error) }
            if isLocked { break }
            // flock(2) knows no limit to its waiting, and an alarm would be the whole process's.
            if (SystemTime.monotonicNanoseconds() - start) / 1_000_000 >= timeoutMilliseconds {
                throw .busy(id: id.rawValue, milliseconds: timeoutMilliseconds)
            }
            SystemTime.sleep(milliseconds: 5)
        }
        return ContainerDirectory(id: id, path: place, descriptor: folder)
    }

    /// The container's record as it is now, without waiting for a lock: records are replaced whole.
    public func record(of id: ContainerID) throws(RuntimeStateError) -> ContainerRecord {
        // Named, so that it is open until the record has been read.
        let folder = try open(id, "\(path)/\(id)")
        return try ContainerDirectory.record(id: id, at: folder.borrowed, path: "\(path)/\(id)")
    }

    /// The ids of all folders, in order; what has another kind of name is none of ours.
    public func ids() throws(RuntimeStateError) -> [ContainerID] {
        do {
            let root = try FileDescriptor.open(path, .directory)
            return try Directory.entries(of: root.borrowed).filter(\.isDirectory)
                .map(\.name).sorted().compactMap { try? ContainerID($0) }
        } catch {
            if error == .noSuchFile { return [] }
            throw .files(.list, path: path, error)
        }
    }

    /// A folder of the root directory.
    public enum Summary: Sendable {
        case container(ContainerRecord)
        /// What is wrong with the record.
        case unreadable(ContainerID, RuntimeStateError)
    }

    /// Every container, in the order of their ids. One that is being made or deleted meanwhile is left out.
    public func summaries() throws(RuntimeStateError) -> [Summary] {
        var summaries: [Summary] = []
        for id in try ids() {
            do {
                summaries.append(.container(try record(of: id)))
            } catch {
                if error != .doesNotExist { summaries.append(.unreadable(id, error)) }
            }
        }
        return summaries
    }

    func open(_ id: ContainerID, _ place: String) throws(RuntimeStateError) -> FileDescriptor {
        do {
            return try FileDescriptor.open(place, [.directory, .noFollow])
        } catch {
            throw error == .noSuchFile ? .doesNotExist : .files(.open, path: place, error)
        }
    }

    /// Makes the directory with all above it, as 0700: write access to it is the right to start containers.
    private func makeRoot() throws(RuntimeStateError) {
        var current = ""
        for name in path.pathNames {
            current += "/" + name
            do {
                try Directory.make(current, mode: 0o700)
            } catch  where error == .exists {
                continue
            } catch {
                // A directory above may be there and still not be ours to write in.
                if (try? FileDescriptor.open(current, [.directory, .path])) != nil { continue }
                throw .files(.makeDirectory, path: current, error)
            }
        }
    }
}
