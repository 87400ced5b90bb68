// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Who a process is and what it may, set before exec.
extension Process {
    /// setgroups(2).
    public static func setSupplementaryGroups(_ groups: [UInt32]) throws(Errno) {
        try checked(unsafe groups.withUnsafeBytes { unsafe answer(__NR_setgroups, groups.count, $0.argument) })
    }

    /// setrlimit(2) by prlimit64(2): raising needs CAP_SYS_RESOURCE.
    public static func setLimit(_ resource: UInt32, soft: UInt64, hard: UInt64) throws(Errno) {
        var wanted: (soft: UInt64, hard: UInt64) = (soft, hard)
        try unsafe withUnsafeMutablePointer(to: &wanted) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_prlimit64, 0, Int(resource), pointer.argument, 0)
        }
    }

    /// PR_SET_DUMPABLE off: only a process with privileges over this one sees its memory or descriptors.
    public static func hideMemory() throws(Errno) {
        try syscall(__NR_prctl, Int(PR_SET_DUMPABLE), 0)
    }

    /// KEYCTL_JOIN_SESSION_KEYRING: a session keyring of its own. A kernel without keys is no error.
    public static func joinKeyring(named name: String) throws(Errno) {
        do {
            try withPath(name) { (name) throws(Errno) in _ = try syscall(__NR_keyctl, 1, name) }
        } catch  where error == .noSystemCall {}
    }

    /// seccomp(2) with SECCOMP_SET_MODE_FILTER. Needs no_new_privs or CAP_SYS_ADMIN.
    ///
    /// - Parameter program: struct sock_filter, 8 bytes each.
    public static func installFilter(_ program: [UInt8], flags: UInt32) throws(Errno) {
        guard program.count.isMultiple(of: 8), program.count <= 8 * 4096 else { throw .invalidArgument }
        let result = unsafe program.withUnsafeBytes { buffer in
            // struct sock_fprog: a count of 16 bits, padding, the address.
            var description: (UInt64, Int) = (UInt64(program.count / 8), unsafe buffer.argument)
            return unsafe withUnsafePointer(to: &description) { pointer in
                unsafe answer(__NR_seccomp, 1, Int(flags), pointer.argument)
            }
        }
        try checked(result)
    }

    /// getcwd(2). The kernel begins it with `(unreachable)` where the directory is outside the root.
    public static func currentDirectory() throws(Errno) -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        try checked(unsafe bytes.withUnsafeMutableBytes { unsafe answer(__NR_getcwd, $0.argument, $0.count) })
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// chdir(2).
    public static func changeDirectory(to path: String) throws(Errno) {
        try withPath(path) { (path) throws(Errno) in _ = try syscall(__NR_chdir, path) }
    }

    /// chroot(2) to the open directory `root`, and there.
    public static func changeRoot(to root: BorrowedDescriptor) throws(Errno) {
        try syscall(__NR_fchdir, root.argument)
        try withPath(".") { (here) throws(Errno) in _ = try syscall(__NR_chroot, here) }
    }

    /// faccessat2(2) with the effective ids: whether `path` may be executed.
    public static func mayExecute(_ path: String) throws(Errno) {
        try withPath(path) { (path) throws(Errno) in
            _ = try syscall(__NR_faccessat2, CL_AT_FDCWD, path, Int(X_OK), Int(AT_EACCESS))
        }
    }
}
