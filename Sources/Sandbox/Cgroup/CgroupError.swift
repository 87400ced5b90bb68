// SPDX-License-Identifier: Apache-2.0
public import Linux

/// What can go wrong with a cgroup on the host.
public enum CgroupError: Error, Hashable, Sendable {
    /// A path with `..`, a NUL, control characters, or names beyond what a file system takes.
    case invalidPath(String)
    /// A list of processors or memory nodes that is not one.
    case invalidList(String, of: String)
    /// No hierarchy is mounted that has the controller a limit needs.
    case controllerMissing(String)
    /// The cgroup exists, and processes of others are in it.
    case occupied(path: String)
    case read(path: String, Errno)
    case make(path: String, Errno)
    case open(path: String, Errno)
    case write(path: String, value: String, Errno)
    case remove(path: String, Errno)
    /// A control file's text, as a guest sent it, that no kernel writes; lines count from 1.
    case malformed(file: String, line: Int)
    /// Longer than any kernel makes it.
    case tooLong(file: String)
}

extension CgroupError: CustomStringConvertible {
    /// For a person.
    public var description: String {
        switch self {
        case .invalidPath(let path): "cgroup path \"\(path)\" is invalid"
        case .invalidList(let list, let name): "\(name): \"\(list)\" is not a list of numbers and ranges"
        case .controllerMissing(let name): "a limit needs the cgroup controller \"\(name)\", which is not available"
        case .occupied(let path): "cgroup \(path) exists and is not empty"
        case .read(let path, let error): "read \(path): \(error)"
        case .make(let path, let error): "make cgroup \(path): \(error)"
        case .open(let path, let error): "open \(path): \(error)"
        case .write(let path, let value, let error): "write \"\(value)\" to \(path): \(error)"
        case .remove(let path, let error): "remove cgroup \(path): \(error)"
        case .malformed(let file, let line): "\(file): line \(line) is malformed"
        case .tooLong(let file): "\(file) is too long"
        }
    }
}

extension CgroupError {
    /// A directory that was there a moment ago is not there any more.
    public var isVanishedDirectory: Bool {
        switch self {
        case .make(_, .noSuchFile), .read(_, .noSuchFile), .read(_, .noDevice), .write(_, _, .noSuchFile),
            .write(_, _, .noDevice):
            true
        default: false
        }
    }
}
