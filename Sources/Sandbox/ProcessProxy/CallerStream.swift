import CLinux
import Glibc
import Linux

/// The caller's standard streams, for which the proxy stands in.
enum CallerStream {
    /// A descriptor on what `number` is open on, that does not block where that could be for long.
    ///
    /// O_NONBLOCK belongs to the open file, which others share (the caller's shell, for one), so a pipe or
    /// terminal is opened anew. Sockets cannot be; files never block for long. A fifo that the caller has open both
    /// ways stays so: its reader may come and go without the writer's hearing of it.
    static func nonBlocking(_ number: Int32, _ access: OpenOptions) throws(Errno) -> FileDescriptor {
        var status = stat()
        let result = unsafe withUnsafeMutablePointer(to: &status) { pointer in
            unsafe cl_syscall(Int(__NR_fstat), Int(number), pointer.argument, 0, 0, 0, 0)
        }
        if result < 0 { throw Errno(rawValue: Int32(-result)) }
        let kind = status.st_mode & S_IFMT
        let flags = Int32(truncatingIfNeeded: try syscall(__NR_fcntl, Int(number), Int(F_GETFL)))
        let isBothWays = kind == S_IFIFO && access != [] && flags & O_ACCMODE == O_RDWR
        if kind == S_IFIFO || kind == S_IFCHR,
            let descriptor = try? FileDescriptor.open(
                "/proc/self/fd/\(number)", [isBothWays ? .readWrite : access, .nonBlocking, .noControllingTerminal])
        {
            return descriptor
        }
        return FileDescriptor(
            owning: Int32(try syscall(__NR_fcntl, Int(number), Int(F_DUPFD_CLOEXEC), 3)))
    }
}
