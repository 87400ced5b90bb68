// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// How many descriptors this process may have open, RLIMIT_NOFILE.
public enum DescriptorLimit {
    /// Raises the soft limit to the hard one.
    ///
    /// - Returns: the limit there is now.
    public static func raise() throws(Errno) -> Int {
        var limits: (soft: UInt64, hard: UInt64) = (0, 0)
        // RLIMIT_NOFILE is 7 on every architecture served here.
        try unsafe withUnsafeMutablePointer(to: &limits) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_prlimit64, 0, 7, 0, pointer.argument)
        }
        if limits.soft < limits.hard {
            limits.soft = limits.hard
            try unsafe withUnsafeMutablePointer(to: &limits) { (pointer) throws(Errno) in
                _ = unsafe try syscall(__NR_prlimit64, 0, 7, pointer.argument, 0)
            }
        }
        return Int(clamping: limits.soft)
    }
}
