// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// Opening what an address names, without waiting for the other end where it is missing. What was looked at is
/// what is opened: a name is looked up once.
struct StreamOpening {
    /// What an error calls the stream.
    let stream: String

    /// A fifo.
    func fifo(_ path: String, _ access: OpenOptions) throws(TaskIOError) -> FileDescriptor {
        let node = try look(at: path)
        try checkFIFO(node.borrowed, path)
        return try reopen(node.borrowed, access, path)
    }

    /// Both ends of a fifo for input: what reads it, and what keeps it from ending. Without the second, a client that
    /// goes away ends the process's input; with it, only who closes it does.
    func input(_ path: String) throws(TaskIOError) -> FIFOEnds {
        let node = try look(at: path)
        try checkFIFO(node.borrowed, path)
        // First the reader: without one, opening for writing is refused.
        let reader = try reopen(node.borrowed, [], path)
        let writer = try reopen(node.borrowed, .writeOnly, path)
        return FIFOEnds(reader: reader, writer: writer)
    }

    /// A file, made where it is missing, that is written at its end.
    func file(_ path: String) throws(TaskIOError) -> FileDescriptor {
        try makeParents(of: path)
        do throws(Errno) {
            _ = try FileDescriptor.open(path, [.writeOnly, .create, .exclusive], mode: 0o644)
        } catch .exists {
        } catch {
            throw .open(stream: stream, path: path, error)
        }
        // What was there is looked at before it is opened: opening a device can have effects.
        let node = try look(at: path)
        let status = try status(of: node.borrowed, path)
        let isNull = status.isCharacterDevice && status.deviceNumber == FileNode.deviceNumber(major: 1, minor: 3)
        guard status.isRegularFile || isNull else {
            throw .notAFile(stream: stream, path: path, found: Self.name(status))
        }
        return try reopen(node.borrowed, [.writeOnly, .append], path)
    }

    private func look(at path: String) throws(TaskIOError) -> FileDescriptor {
        do throws(Errno) {
            return try FileDescriptor.open(path, [.path, .noFollow])
        } catch {
            throw .open(stream: stream, path: path, error)
        }
    }

    private func status(of node: BorrowedDescriptor, _ path: String) throws(TaskIOError) -> FileNode.Status {
        do throws(Errno) {
            return try FileNode.status(of: node)
        } catch {
            throw .open(stream: stream, path: path, error)
        }
    }

    private func checkFIFO(_ node: BorrowedDescriptor, _ path: String) throws(TaskIOError) {
        let status = try status(of: node, path)
        guard status.kind == S_IFIFO else { throw .notAFIFO(stream: stream, path: path, found: Self.name(status)) }
    }

    /// Opens the node anew, to read or write: without waiting, then as streams usually are.
    private func reopen(
        _ node: BorrowedDescriptor, _ access: OpenOptions, _ path: String
    ) throws(TaskIOError) -> FileDescriptor {
        do throws(Errno) {
            let file = try FileDescriptor.open(
                node.path, [access, .nonBlocking, .noControllingTerminal])
            try file.setNonBlocking(false)
            return file
        } catch {
            throw .open(stream: stream, path: path, error)
        }
    }

    private func makeParents(of path: String) throws(TaskIOError) {
        var place = ""
        for component in path.pathNames.dropLast() {
            place += "/" + component
            do throws(Errno) {
                try Directory.make(place, mode: 0o755)
            } catch  where error == .exists || error == .readOnlyFileSystem {
                // On a read-only file system what is there is not told from what cannot be made; opening will tell.
            } catch {
                throw .makeDirectory(stream: stream, path: place, error)
            }
        }
    }

    private static func name(_ status: FileNode.Status) -> String {
        switch status.kind {
        case S_IFDIR: "a directory"
        case S_IFLNK: "a symlink"
        case S_IFREG: "a regular file"
        case S_IFIFO: "a fifo"
        case S_IFSOCK: "a socket"
        case S_IFBLK: "a block device"
        case S_IFCHR: "a character device"
        default: "something unknown"
        }
    }
}
