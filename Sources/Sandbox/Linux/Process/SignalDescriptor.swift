// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// Signals as something to read, signalfd(2), rather than something that interrupts.
public struct SignalDescriptor: ~Copyable, Sendable {
    /// Readable while a signal waits.
    public let descriptor: FileDescriptor

    /// Blocks every signal that can be and collects them.
    public init() throws(Errno) {
        try self.init(of: .all)
    }

    /// Blocks the signals of `mask`, in this thread and those it starts from here on, and collects them.
    public init(of mask: SignalMask) throws(Errno) {
        try SignalMask.block(mask)
        var mask = mask.rawValue
        descriptor = try unsafe withUnsafeMutablePointer(to: &mask) { (pointer) throws(Errno) in
            FileDescriptor(
                owning: Int32(
                    try unsafe syscall(__NR_signalfd4, -1, pointer.argument, 8, CL_SFD_CLOEXEC | CL_SFD_NONBLOCK)))
        }
    }

    /// A signal that came.
    public struct Received: Hashable, Sendable {
        /// Its number.
        public let signal: Int32
        /// The kernel sent it (a key on the terminal, a child's end) and no process did.
        public let isKernels: Bool
    }

    /// The next signal that came, if one did. struct signalfd_siginfo has 128 bytes: number, errno, code, …
    public borrowing func next() -> Received? {
        guard let bytes = try? descriptor.read(upTo: 128), bytes.count == 128 else { return nil }
        func word(_ offset: Int) -> Int32 {
            Int32(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * $1) })
        }
        return Received(signal: word(0), isKernels: word(8) > 0)
    }
}

/// The signals this thread does not get, by bit: 1 << (signal - 1).
public struct SignalMask: Sendable {
    /// Bit n is signal n + 1.
    public let rawValue: UInt64

    /// No signal.
    public static let none = SignalMask(rawValue: 0)
    /// Every signal; the kernel leaves out SIGKILL and SIGSTOP.
    public static let all = SignalMask(rawValue: ~0)

    /// One signal.
    public init(_ signal: Int32) { rawValue = 1 << UInt64(signal - 1) }

    init(rawValue: UInt64) { self.rawValue = rawValue }

    /// rt_sigprocmask(2): these signals are blocked, no others.
    public static func set(_ mask: SignalMask) throws(Errno) { try change(SIG_SETMASK, mask) }

    /// These are blocked beside those that are.
    public static func block(_ mask: SignalMask) throws(Errno) { try change(SIG_BLOCK, mask) }

    private static func change(_ how: Int32, _ mask: SignalMask) throws(Errno) {
        var mask = mask.rawValue
        try unsafe withUnsafeMutablePointer(to: &mask) { (pointer) throws(Errno) in
            _ = try unsafe syscall(__NR_rt_sigprocmask, Int(how), pointer.argument, 0, 8)
        }
    }
}

extension Process {
    /// Ends this process by `signal`, as if nothing had been blocked or caught, without leaving a core.
    public static func die(of signal: Int32) -> Never {
        // One that would stop this process instead, or be ignored.
        if (17...23).contains(signal) || signal == 28 { exitNow(128 + signal) }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        _ = Glibc.signal(signal, SIG_DFL)
        try? SignalMask.set(.none)
        try? kill(getpid(), signal)
        // Only a signal that does not end processes comes back.
        exitNow(128 + signal)
    }
}
