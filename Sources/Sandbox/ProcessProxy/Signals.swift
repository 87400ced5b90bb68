import CLinux
import Glibc
import Linux

/// Signals as something to read, signalfd(2), rather than something that interrupts.
struct SignalDescriptor: ~Copyable {
    let descriptor: FileDescriptor

    /// Blocks every signal that can be and collects them.
    init() throws(Errno) {
        var all = ~UInt64(0)
        try unsafe withUnsafeMutablePointer(to: &all) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_rt_sigprocmask, Int(SIG_SETMASK), pointer.argument, 0, 8)
        }
        descriptor = try unsafe withUnsafeMutablePointer(to: &all) { (pointer) throws(Errno) in
            FileDescriptor(
                owning: Int32(
                    unsafe try syscall(__NR_signalfd4, -1, pointer.argument, 8, CL_SFD_CLOEXEC | CL_SFD_NONBLOCK)))
        }
    }

    /// The next signal that came, if one did. struct signalfd_siginfo has 128 bytes, the number first.
    func next() -> Int32? {
        guard let bytes = try? descriptor.read(upTo: 128), bytes.count == 128 else { return nil }
        return Int32(bytes[0]) | Int32(bytes[1]) << 8
    }

    /// Ends this process by `signal`, as if nothing had been blocked, without leaving a core.
    static func die(of signal: Int32) -> Never {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        unsafe Glibc.signal(signal, SIG_DFL)
        var empty: UInt64 = 0
        unsafe withUnsafeMutablePointer(to: &empty) { pointer in
            _ = unsafe cl_syscall(Int(__NR_rt_sigprocmask), Int(SIG_SETMASK), pointer.argument, 0, 8, 0, 0)
        }
        try? Process.kill(getpid(), signal)
        // Only a signal that does not end processes comes back.
        Process.exitNow(128 + signal)
    }
}
