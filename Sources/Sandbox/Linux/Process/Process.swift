// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Making and watching processes, and what a process may set of itself.
public enum Process {
    /// execveat(2) of the open file `program`. Returns only to throw.
    public static func execute(
        _ program: BorrowedDescriptor, arguments: [String], environment: [String]
    ) throws(Errno) -> Never {
        try withPath("") { (empty) throws(Errno) in
            try withVector(arguments) { (argv) throws(Errno) in
                try withVector(environment) { (envp) throws(Errno) in
                    _ = try syscall(__NR_execveat, program.argument, empty, argv, envp, CL_AT_EMPTY_PATH)
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
        // Once, and no more than needed: there may be megabytes of them, in a cgroup that has few.
        let byteCount = strings.reduce(0) { $0 + $1.utf8.count + 1 }
        let storage = UnsafeMutablePointer<UInt8>.allocate(capacity: max(byteCount, 1))
        defer { unsafe storage.deallocate() }
        let vector = UnsafeMutablePointer<Int>.allocate(capacity: strings.count + 1)
        defer { unsafe vector.deallocate() }
        var end = 0
        for (index, string) in strings.enumerated() {
            unsafe vector[index] = storage.argument + end
            // The capacity is the sum of these.
            for byte in string.utf8 {
                if byte == 0 { throw .invalidArgument }
                unsafe storage[end] = byte
                end += 1
            }
            unsafe storage[end] = 0
            end += 1
        }
        unsafe vector[strings.count] = 0
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
    /// - Returns: nil where `blocks` is false and no child has ended yet.
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

    /// Closes every descriptor numbered `first` or more but those of `kept`.
    public static func closeDescriptors(
        from first: UInt32 = 0, except kept: [BorrowedDescriptor]
    ) throws(Errno) {
        var next = first
        for number in Set(kept.map(\.rawValue)).sorted() {
            guard let number = UInt32(exactly: number), number >= next else { continue }
            if number > next { try closeDescriptors(from: next, through: number - 1) }
            next = number + 1
        }
        try closeDescriptors(from: next)
    }
}
