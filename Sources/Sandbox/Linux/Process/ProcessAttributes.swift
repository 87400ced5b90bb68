// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// What a process is made to be before it becomes another program.
extension Process {
    /// setsid(2): a session of its own, with no controlling terminal.
    public static func startSession() throws(Errno) {
        try syscall(__NR_setsid)
    }

    /// Every signal does what it does by default, and none is blocked: both outlive exec, and so are
    /// inherited from the process that started this program.
    public static func resetSignals() {
        // The kernel's struct sigaction, all zeroes: SIG_DFL, no flags, an empty mask. Not the C library's call,
        // which leaves out the two signals that it keeps for itself.
        let byDefault: [UInt64] = [0, 0, 0, 0]
        unsafe byDefault.withUnsafeBytes { action in
            // Of SIGKILL and SIGSTOP nothing can be changed, nor need be.
            for signal in 1...64 { _ = unsafe cl_syscall(Int(__NR_rt_sigaction), signal, action.argument, 0, 8, 0, 0) }
        }
        try? SignalMask.set(.none)
    }

    /// umask(2).
    public static func setFileModeMask(_ mask: UInt32) {
        _ = cl_syscall(Int(__NR_umask), Int(mask), 0, 0, 0, 0, 0)
    }

    /// setresgid(2), all three alike.
    public static func setGroup(_ gid: UInt32) throws(Errno) {
        try syscall(__NR_setresgid, Int(gid), Int(gid), Int(gid))
    }

    /// setresuid(2), all three alike. `keepsCapabilities` leaves the permitted set as it is (PR_SET_KEEPCAPS).
    public static func setUser(_ uid: UInt32, keepsCapabilities: Bool) throws(Errno) {
        if keepsCapabilities { try syscall(__NR_prctl, Int(PR_SET_KEEPCAPS), 1) }
        try syscall(__NR_setresuid, Int(uid), Int(uid), Int(uid))
    }

    /// Lowers a resource limit to `soft` and `hard`, prlimit(2); `UInt64.max` is none. Nothing is raised: above
    /// the hard limit in force, the limit in force stays.
    public static func lowerLimit(_ resource: UInt32, soft: UInt64, hard: UInt64) throws(Errno) {
        let current = try limit(resource)
        let newHard = min(hard, current.hard)
        var wanted: (soft: UInt64, hard: UInt64) = (min(soft, newHard), newHard)
        try unsafe withUnsafeMutablePointer(to: &wanted) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_prlimit64, 0, Int(resource), pointer.argument, 0)
        }
    }

    /// How many kinds of limits there are, RLIM_NLIMITS: they are numbered from 0.
    public static let limitCount: UInt32 = 16

    /// This process's own limit of a kind, prlimit(2); `UInt64.max` is none.
    public static func limit(_ resource: UInt32) throws(Errno) -> (soft: UInt64, hard: UInt64) {
        var current: (soft: UInt64, hard: UInt64) = (0, 0)
        try unsafe withUnsafeMutablePointer(to: &current) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_prlimit64, 0, Int(resource), 0, pointer.argument)
        }
        return current
    }

    /// Every descriptor numbered `first` or more closes at exec, close_range(2) with CLOSE_RANGE_CLOEXEC.
    public static func closeDescriptorsOnExec(from first: UInt32) throws(Errno) {
        try syscall(__NR_close_range, Int(first), Int(UInt32.max), Int(CLOSE_RANGE_CLOEXEC))
    }
}

extension FileDescriptor {
    /// dup3(2): makes `number` refer to what `other` does, open across exec; what it was before is closed.
    public static func assign(_ number: Int32, from other: BorrowedDescriptor) throws(Errno) {
        try syscall(__NR_dup3, other.argument, Int(number), 0)
    }
}
