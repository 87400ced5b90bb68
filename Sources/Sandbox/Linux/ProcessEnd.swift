import CLinux
import Glibc

extension Process {
    /// waitid(2) with WNOWAIT: whether the child `pid` has ended. It stays to be reaped.
    public static func hasEnded(_ pid: Int32) -> Bool {
        // struct siginfo, 128 bytes; si_signo, its first word, stays 0 where nobody has ended.
        var information = [Int32](repeating: 0, count: 32)
        let flags = CL_WEXITED | CL_WNOHANG | 0x0100_0000
        let result = unsafe information.withUnsafeMutableBytes {
            unsafe answer(__NR_waitid, 1, Int(pid), $0.argument, flags)
        }
        return result < 0 || information[0] != 0
    }
}
