import Linux
import OCISpec

/// The directory of `--root`, where each container has a folder of its id's name.
public struct StateRoot: Sendable {
    /// Absolute.
    public let path: String

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
        return try lock(id)
    }

    /// Opens the container's folder once nobody else has it locked; it stays locked for as long as what is
    /// returned is kept.
    public func lock(
        _ id: ContainerID, timeoutMilliseconds: Int64 = 10_000
    ) throws(RuntimeStateError) -> ContainerDirectory {
        let folder = try open(id)
        let start = SystemTime.monotonicNanoseconds()
        while true {
            let isLocked: Bool
            do { isLocked = try folder.tryLock() } catch { throw .files(.lock, path: "\(path)/\(id)", error) }
            if isLocked { break }
            // flock(2) knows no limit to its waiting, and an alarm would be the whole process's.
            if (SystemTime.monotonicNanoseconds() - start) / 1_000_000 >= timeoutMilliseconds {
                throw .busy(id: id.rawValue, milliseconds: timeoutMilliseconds)
            }
            SystemTime.sleep(milliseconds: 5)
        }
        return ContainerDirectory(id: id, path: "\(path)/\(id)", descriptor: folder)
    }

    /// The container's record as it is now, without waiting for a lock: records are replaced whole.
    public func record(of id: ContainerID) throws(RuntimeStateError) -> ContainerRecord {
        // Named, so that it is open until the record has been read.
        let folder = try open(id)
        return try ContainerDirectory.record(id: id, at: folder.rawValue, path: "\(path)/\(id)")
    }

    /// The ids of all folders, in order; what has another kind of name is none of ours.
    public func ids() throws(RuntimeStateError) -> [ContainerID] {
        do {
            let root = try FileDescriptor.open(path, .directory)
            return try Directory.entries(of: root.rawValue).filter(\.isDirectory)
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

    private func open(_ id: ContainerID) throws(RuntimeStateError) -> FileDescriptor {
        do {
            return try FileDescriptor.open("\(path)/\(id)", [.directory, .noFollow])
        } catch {
            throw error == .noSuchFile ? .doesNotExist : .files(.open, path: "\(path)/\(id)", error)
        }
    }

    /// Makes the directory with all above it, as 0700: who may enter may start containers.
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
