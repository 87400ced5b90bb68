import CLinux
import Glibc

/// Making, joining and watching processes. What forks must be single-threaded.
public enum Process {
    /// The namespaces a new process is to have of its own, clone(2).
    public struct Namespaces: OptionSet, Sendable {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        public static let mount = Namespaces(rawValue: UInt64(CL_CLONE_NEWNS))
        public static let cgroup = Namespaces(rawValue: UInt64(CL_CLONE_NEWCGROUP))
        public static let uts = Namespaces(rawValue: UInt64(CL_CLONE_NEWUTS))
        public static let ipc = Namespaces(rawValue: UInt64(CL_CLONE_NEWIPC))
        public static let user = Namespaces(rawValue: UInt64(CL_CLONE_NEWUSER))
        public static let pid = Namespaces(rawValue: UInt64(CL_CLONE_NEWPID))
        public static let network = Namespaces(rawValue: UInt64(CL_CLONE_NEWNET))
    }

    /// Which side of a fork this is.
    public enum Fork: Sendable {
        case child
        case parent(pid: Int32)
    }

    /// clone3(2) as a fork: the child goes on with a copy of everything, in `namespaces` of its own and,
    /// where given, in the cgroup v2 directory `cgroup`. `asSibling` makes it a child of the caller's parent.
    public static func fork(
        namespaces: Namespaces = [], cgroup: Int32? = nil, asSibling: Bool = false
    ) throws(Errno) -> Fork {
        var arguments = cl_clone_args()
        arguments.flags = namespaces.rawValue
        if let cgroup {
            arguments.flags |= UInt64(CL_CLONE_INTO_CGROUP)
            arguments.cgroup = UInt64(cgroup)
        }
        if asSibling {
            // The exit signal is then the caller's own.
            arguments.flags |= UInt64(CL_CLONE_PARENT)
        } else {
            arguments.exit_signal = UInt64(SIGCHLD)
        }
        let size = MemoryLayout<cl_clone_args>.size
        let pid = try unsafe withUnsafePointer(to: &arguments) { (pointer) throws(Errno) in
            try unsafe syscall(__NR_clone3, pointer.argument, size)
        }
        return pid == 0 ? .child : .parent(pid: Int32(pid))
    }

    /// execveat(2) of the open file `program`. Returns only to throw.
    public static func execute(_ program: Int32, arguments: [String], environment: [String]) throws(Errno) -> Never {
        try withPath("") { (empty) throws(Errno) in
            try withVector(arguments) { (argv) throws(Errno) in
                try withVector(environment) { (envp) throws(Errno) in
                    _ = try syscall(__NR_execveat, Int(program), empty, argv, envp, CL_AT_EMPTY_PATH)
                }
            }
        }
        throw .noSystemCall
    }

    /// execve(2) of the file at `path`. Returns only to throw.
    public static func execute(path: String, arguments: [String], environment: [String]) throws(Errno) -> Never {
        try withPath(path) { (name) throws(Errno) in
            try withVector(arguments) { (argv) throws(Errno) in
                try withVector(environment) { (envp) throws(Errno) in
                    _ = try syscall(__NR_execve, name, argv, envp)
                }
            }
        }
        throw .noSystemCall
    }

    /// The strings as execve(2) wants them: pointers to NUL-ended bytes, then a null pointer.
    static func withVector(_ strings: [String], _ body: (Int) throws(Errno) -> Void) throws(Errno) {
        var bytes: [UInt8] = []
        var starts: [Int] = []
        for string in strings {
            if string.utf8.contains(0) { throw .invalidArgument }
            starts.append(bytes.count)
            bytes += Array(string.utf8)
            bytes.append(0)
        }
        let storage = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        defer { unsafe storage.deallocate() }
        unsafe bytes.withUnsafeBufferPointer { buffer in
            if let base = buffer.baseAddress { unsafe storage.initialize(from: base, count: buffer.count) }
        }
        let vector = UnsafeMutablePointer<Int>.allocate(capacity: starts.count + 1)
        defer { unsafe vector.deallocate() }
        for (index, start) in starts.enumerated() { unsafe vector[index] = storage.argument + start }
        unsafe vector[starts.count] = 0
        try body(unsafe vector.argument)
    }

    /// Ends this process at once, with nothing of the C library's at-exit work.
    public static func exitNow(_ status: Int32) -> Never {
        _exit(status)
    }

    /// How a process ended.
    public enum ExitStatus: Hashable, Sendable {
        case exited(code: Int32)
        case signaled(signal: Int32)

        /// The status as wait4(2) gives it.
        init(waitStatus: Int32) {
            let signal = waitStatus & 0x7f
            self = signal == 0 ? .exited(code: (waitStatus >> 8) & 0xff) : .signaled(signal: signal)
        }

        /// The code a shell would report: 128 plus the signal for a process that was killed.
        public var shellCode: Int32 {
            switch self {
            case .exited(let code): code
            case .signaled(let signal): 128 + signal
            }
        }
    }

    /// wait4(2) for `pid` (-1: any child).
    ///
    /// - Returns: nil where `blocks` is false and nobody has ended yet.
    public static func wait(for pid: Int32 = -1, blocks: Bool = true) throws(Errno) -> (pid: Int32, status: ExitStatus)?
    {
        var status: Int32 = 0
        let result = try retrying { () throws(Errno) in
            try unsafe withUnsafeMutablePointer(to: &status) { (pointer) throws(Errno) in
                try unsafe syscall(__NR_wait4, Int(pid), pointer.argument, blocks ? 0 : CL_WNOHANG)
            }
        }
        return result == 0 ? nil : (Int32(result), ExitStatus(waitStatus: status))
    }

    /// kill(2).
    public static func kill(_ pid: Int32, _ signal: Int32) throws(Errno) {
        try syscall(__NR_kill, Int(pid), Int(signal))
    }

    /// pidfd_open(2): readable once the process has ended.
    public static func descriptor(of pid: Int32) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: Int32(try syscall(__NR_pidfd_open, Int(pid), 0)))
    }

    /// setns(2): enters `namespaces` of the process behind `pidfd`, or, with none given, the one namespace
    /// that the descriptor is open on.
    public static func enter(_ descriptor: Int32, _ namespaces: Namespaces = []) throws(Errno) {
        try syscall(__NR_setns, Int(descriptor), Int(namespaces.rawValue))
    }

    /// unshare(2).
    public static func unshare(_ namespaces: Namespaces) throws(Errno) {
        try syscall(__NR_unshare, Int(namespaces.rawValue))
    }

    /// The signal this process gets when its parent thread ends, PR_SET_PDEATHSIG.
    public static func setParentDeathSignal(_ signal: Int32) throws(Errno) {
        try syscall(__NR_prctl, Int(PR_SET_PDEATHSIG), Int(signal))
    }

    /// PR_SET_NO_NEW_PRIVS.
    public static func setNoNewPrivileges() throws(Errno) {
        try syscall(__NR_prctl, Int(PR_SET_NO_NEW_PRIVS), 1)
    }

    /// The name of this thread as ps shows it, at most 15 bytes.
    public static func setName(_ name: String) {
        _ = try? withPath(name) { (pointer) throws(Errno) in try syscall(__NR_prctl, Int(PR_SET_NAME), pointer) }
    }

    /// Closes every descriptor numbered from `first` to `last`, close_range(2).
    public static func closeDescriptors(from first: UInt32, through last: UInt32 = .max) throws(Errno) {
        guard first <= last else { return }
        try syscall(__NR_close_range, Int(first), Int(last), 0)
    }
}
