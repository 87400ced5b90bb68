// SPDX-License-Identifier: Apache-2.0
import Glibc
public import Linux

/// The sockets that shims serve on. One shim serves a group of containers, and its address follows from what they
/// have in common, so that who starts the next one finds it.
public enum ShimSocket {
    /// Where containerd's own shims have theirs.
    public static let directory = "/run/containerd/s"
    /// Bytes of a path: sun_path less its NUL.
    static let pathLimit = 107
    /// How long another `start` may hold the directory.
    static let lockLimit: Int64 = 10

    /// The path of a group's socket: a digest, as ids are longer than a socket's path may be.
    public static func path(
        containerd: String, namespace: String, group: String, directory: String = directory
    ) throws(HandshakeError) -> String {
        let path = directory + "/" + SHA256.hex("\(containerd)/\(namespace)/\(group)")
        guard path.begins(with: "/"), !path.utf8.contains(0) else { throw .relativePath(flag: "socket", path) }
        guard path.utf8.count <= pathLimit else { throw .socketPathTooLong(path, limit: pathLimit) }
        return path
    }

    /// What was found at a path.
    enum Claim: ~Copyable {
        /// A shim serves there.
        case served
        /// No shim did; the caller now listens.
        case listening(FileDescriptor)
    }

    /// Finds the shim that serves at `path`, or listens there. A socket that no process listens on any more is replaced.
    /// Of several callers at a time one comes to listen.
    static func claim(_ path: String) throws(HandshakeError) -> Claim {
        let lock = try lockedDirectory(of: path)
        defer { _ = lock }
        if try isServed(path) { return .served }
        return .listening(try listen(at: path))
    }

    /// Listens at `path`, where a socket without a listener is replaced.
    static func listen(at path: String) throws(HandshakeError) -> FileDescriptor {
        try removeSocket(path)
        do throws(Errno) {
            let listener = try UnixSocket.listen(at: path, nonBlocking: true)
            try FileNode.setPermissions(0o600, of: path, at: .currentDirectory)
            return listener
        } catch {
            throw .socket(operation: "listen on", path: path, error)
        }
    }

    /// Removes the socket of a bundle's shim where no shim listens on it any more: for `delete`, when the shim was
    /// killed. Only what is named as sockets of shims are is touched.
    public static func removeStale(bundle: BorrowedDescriptor = .currentDirectory) throws(HandshakeError) {
        guard let bytes = try BundleFile.read(BundleFile.address, in: bundle, limit: 4096) else { return }
        let path = Invocation.path(String(decoding: bytes, as: UTF8.self))
        let name = path.utf8.suffix(64)
        guard path.begins(with: "/"), path.utf8.count <= pathLimit, path.utf8.dropLast(64).last == UInt8(ascii: "/"),
            name.allSatisfy({ "0123456789abcdef".utf8.contains($0) })
        else { return }
        // Who has no directory has no socket.
        guard (try? FileDescriptor.open(parent(of: path), [.path, .directory])) != nil else { return }
        let lock = try lockedDirectory(of: path)
        defer { _ = lock }
        if try !isServed(path) { try removeSocket(path) }
    }

    /// Whether a process listens at `path`.
    static func isServed(_ path: String) throws(HandshakeError) -> Bool {
        do throws(Errno) {
            _ = try UnixSocket.connect(to: path, nonBlocking: true)
            return true
        } catch  where error == .connectionRefused || error == .noSuchFile {
            return false
        } catch  where error == .wouldBlock {
            // Too many connections wait to be accepted: there is a listener.
            return true
        } catch {
            throw .socket(operation: "connect to", path: path, error)
        }
    }

    /// Removes the socket at `path`, and nothing that is none.
    static func removeSocket(_ path: String) throws(HandshakeError) {
        do throws(Errno) {
            let status = try FileNode.status(path, at: .currentDirectory)
            guard status.kind == S_IFSOCK else { throw .exists }
            try Directory.remove(path, isDirectory: false)
        } catch .noSuchFile {
        } catch .exists {
            throw .socketInUse(path: path)
        } catch {
            throw .socket(operation: "remove", path: path, error)
        }
    }

    private static func parent(of path: String) -> String {
        path.pathNames.dropLast().reduce("") { $0 + "/" + $1 }
    }

    /// The directory of `path`, made where it is missing, and locked for as long as it is open.
    private static func lockedDirectory(of path: String) throws(HandshakeError) -> FileDescriptor {
        let directory = parent(of: path)
        do throws(Errno) {
            try makeDirectories(directory)
            let file = try FileDescriptor.open(directory, .directory)
            let deadline = Deadline(after: .seconds(lockLimit))
            while try !file.tryLock() {
                if deadline.hasPassed { throw .timedOut }
                usleep(5000)
            }
            return file
        } catch .timedOut {
            throw .socketLock(path: directory, seconds: lockLimit)
        } catch {
            throw .socketDirectory(path: directory, error)
        }
    }

    private static func makeDirectories(_ path: String) throws(Errno) {
        var place = ""
        for component in path.pathNames {
            place += "/" + component
            do {
                try Directory.make(place, mode: 0o711)
            } catch .exists {
            } catch .readOnlyFileSystem {
                // What is there is not told from what cannot be made; opening it will.
            }
        }
    }
}
