import Linux

/// What fc-fsd is told on its command line.
public struct Options: Equatable, Sendable {
    /// Where the front-end is.
    public enum Connection: Equatable, Sendable {
        /// A connected socket this process was started with.
        case inherited(descriptor: Int32)
        /// A path to listen at, for one front-end.
        case listening(path: String)
    }

    /// Where the tree is.
    public enum Tree: Equatable, Sendable {
        case inherited(descriptor: Int32)
        case path(String)
    }

    public var connection: Connection
    public var tree: Tree
    public var tag = "rootfs"
    /// 1 to 64.
    public var workerCount = 4
    public var isReadOnly = false
    public var cache = CachePolicy.auto
    /// Where lines about what went wrong go.
    public var logDescriptor: Int32 = 2

    /// How the program is called, in one line.
    public static let usage =
        "usage: fc-fsd (--socket-fd N | --socket-path PATH) (--directory-fd M | --directory PATH) "
        + "[--tag NAME] [--threads N] [--read-only] [--cache auto|always|none] [--log-fd K]"

    /// - Parameter arguments: the command line without the program's name.
    public init(arguments: [String]) throws(FileSystemError) {
        var connection: Connection?
        var tree: Tree?
        var rest = arguments[...]
        var tag = "rootfs"
        while let flag = rest.popFirst() {
            if flag == "--read-only" {
                isReadOnly = true
                continue
            }
            guard Self.valueFlags.contains(flag) else { throw .argument(flag, problem: "unknown flag") }
            guard let value = rest.popFirst() else { throw .argument(flag, problem: "needs a value") }
            switch flag {
            case "--socket-fd": connection = .inherited(descriptor: try Self.descriptor(flag, value))
            case "--socket-path": connection = .listening(path: value)
            case "--directory-fd": tree = .inherited(descriptor: try Self.descriptor(flag, value))
            case "--directory": tree = .path(value)
            case "--tag":
                guard (1...36).contains(value.utf8.count) else {
                    throw .argument(flag, problem: "must be 1 to 36 bytes")
                }
                tag = value
            case "--threads":
                guard let count = Int(value), (1...64).contains(count) else {
                    throw .argument(flag, problem: "must be 1 to 64")
                }
                workerCount = count
            case "--cache":
                guard let policy = CachePolicy(rawValue: value) else {
                    throw .argument(flag, problem: "must be auto, always or none")
                }
                cache = policy
            default: logDescriptor = try Self.descriptor(flag, value)
            }
        }
        guard let connection else { throw .argument("--socket-fd", problem: "or --socket-path is needed") }
        guard let tree else { throw .argument("--directory-fd", problem: "or --directory is needed") }
        self.connection = connection
        self.tree = tree
        self.tag = tag
    }

    private static let valueFlags: Set<String> = [
        "--socket-fd", "--socket-path", "--directory-fd", "--directory", "--tag", "--threads", "--cache", "--log-fd",
    ]

    private static func descriptor(_ flag: String, _ value: String) throws(FileSystemError) -> Int32 {
        guard let number = Int32(value), number >= 0 else {
            throw .argument(flag, problem: "must be the number of an open descriptor")
        }
        return number
    }
}

extension FileSystemError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tree(let operation, let errno): "shared tree: \(operation): \(errno)"
        case .proc(let operation, let errno): "\(operation): \(errno)"
        case .worker(let operation, let errno): "worker: \(operation): \(errno)"
        case .argument(let flag, let problem): "\(flag): \(problem)"
        }
    }
}
