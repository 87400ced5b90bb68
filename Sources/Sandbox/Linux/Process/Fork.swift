// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Making processes that go on in Swift, and the namespaces they are in. What forks must be single-threaded.
extension Process {
    /// Namespaces, by their flags of clone(2).
    public struct Namespaces: OptionSet, Sendable {
        /// CLONE_NEW bits.
        public let rawValue: UInt64
        /// The namespaces with these bits.
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        /// CLONE_NEWNS.
        public static let mount = Namespaces(rawValue: UInt64(CL_CLONE_NEWNS))
        /// CLONE_NEWCGROUP.
        public static let cgroup = Namespaces(rawValue: UInt64(CL_CLONE_NEWCGROUP))
        /// CLONE_NEWUTS.
        public static let uts = Namespaces(rawValue: UInt64(CL_CLONE_NEWUTS))
        /// CLONE_NEWIPC.
        public static let ipc = Namespaces(rawValue: UInt64(CL_CLONE_NEWIPC))
        /// CLONE_NEWUSER.
        public static let user = Namespaces(rawValue: UInt64(CL_CLONE_NEWUSER))
        /// CLONE_NEWPID.
        public static let pid = Namespaces(rawValue: UInt64(CL_CLONE_NEWPID))
        /// CLONE_NEWNET.
        public static let network = Namespaces(rawValue: UInt64(CL_CLONE_NEWNET))
    }

    /// Which side of a fork this is.
    public enum Fork: Sendable {
        case child
        case parent(pid: Int32)
    }

    /// clone3(2) as a fork: the child goes on with a copy of everything.
    ///
    /// - Parameters:
    ///   - namespaces: those that the child has of its own.
    ///   - cgroup: the open cgroup v2 directory that it begins in; nil: the caller's.
    /// - Throws: `EBUSY` where the cgroup takes no processes, since it has controllers for others below it.
    public static func fork(
        namespaces: Namespaces = [], cgroup: BorrowedDescriptor? = nil
    ) throws(Errno) -> Fork {
        var arguments = cl_clone_args()
        arguments.flags = namespaces.rawValue
        arguments.exit_signal = UInt64(SIGCHLD)
        if let cgroup {
            arguments.flags |= UInt64(CL_CLONE_INTO_CGROUP)
            arguments.cgroup = UInt64(cgroup.rawValue)
        }
        let size = MemoryLayout<cl_clone_args>.size
        let pid = try unsafe withUnsafePointer(to: &arguments) { (pointer) throws(Errno) in
            try unsafe syscall(__NR_clone3, pointer.argument, size)
        }
        return pid == 0 ? .child : .parent(pid: Int32(pid))
    }

    /// As ``fork(namespaces:cgroup:)``, with the child in the pid namespace of the process behind `pidfd`. It is the
    /// caller's child all the same, and its pid is that of the caller's namespace. Takes /proc.
    public static func fork(
        inPIDNamespaceOf pidfd: BorrowedDescriptor, namespaces: Namespaces = [],
        cgroup: BorrowedDescriptor? = nil
    ) throws(Errno) -> Fork {
        // setns(2) into a pid namespace counts for children only.
        let own = try FileDescriptor.open("/proc/self/ns/pid")
        try enter(pidfd, .pid)
        let result = Result { () throws(Errno) in try fork(namespaces: namespaces, cgroup: cgroup) }
        if case .success(.child) = result { return .child }
        do throws(Errno) {
            // Left in there, this process could start none that takes away what was made.
            do throws(Errno) { try enter(own.borrowed, .pid) } catch { try enter(own.borrowed, .pid) }
        } catch {
            // The caller does not hear of the child, and the namespace's first process cannot end before it was waited for.
            if case .success(.parent(let pid)) = result {
                try? kill(pid, SIGKILL)
                _ = try? wait(for: pid)
            }
            throw error
        }
        return try result.get()
    }

    /// setns(2): enters `namespaces` of the process behind `pidfd`, or, with none given, the one namespace
    /// that the descriptor is open on.
    public static func enter(_ descriptor: BorrowedDescriptor, _ namespaces: Namespaces = []) throws(Errno) {
        try syscall(__NR_setns, descriptor.argument, Int(namespaces.rawValue))
    }

    /// unshare(2).
    public static func unshare(_ namespaces: Namespaces) throws(Errno) {
        try syscall(__NR_unshare, Int(namespaces.rawValue))
    }
}
