public import Linux

/// What can go wrong with a cgroup on the host.
public enum CgroupError: Error, Hashable, Sendable {
    /// A path with `..`, a NUL, control characters, or names beyond what a file system takes.
    case invalidPath(String)
    /// A list of processors or memory nodes that is not one.
    case invalidList(String, of: String)
    /// No hierarchy is mounted that has the controller a limit needs.
    case controllerMissing(String)
    /// The cgroup is there already, and processes that are not ours are in it.
    case occupied(path: String)
    case read(path: String, Errno)
    case make(path: String, Errno)
    case open(path: String, Errno)
    case write(path: String, value: String, Errno)
    case remove(path: String, Errno)
}

extension CgroupError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .invalidPath(let path): "cgroup path \"\(path)\" is not valid"
        case .invalidList(let list, let name): "\(name): \"\(list)\" is not a list of numbers and ranges"
        case .controllerMissing(let name): "the cgroup controller \"\(name)\" is not there, and a limit needs it"
        case .occupied(let path): "cgroup \(path) is there already and is not empty"
        case .read(let path, let error): "read \(path): \(error)"
        case .make(let path, let error): "make cgroup \(path): \(error)"
        case .open(let path, let error): "open \(path): \(error)"
        case .write(let path, let value, let error): "write \"\(value)\" to \(path): \(error)"
        case .remove(let path, let error): "remove cgroup \(path): \(error)"
        }
    }
}

extension CgroupError {
    /// A directory was there a moment ago, and is not now.
    var isOfWhatIsGone: Bool {
        switch self {
        case .make(_, .noSuchFile), .read(_, .noSuchFile), .read(_, .noDevice), .write(_, _, .noSuchFile),
            .write(_, _, .noDevice):
            true
        default: false
        }
    }
}
