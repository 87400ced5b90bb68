// SPDX-License-Identifier: Apache-2.0
import CLinux

/// A system call as `syscall`, with the kernel's own answer: inside closures that cannot carry a typed error.
func answer(_ number: Int32, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0) -> Int {
    cl_syscall(Int(number), a, b, c, d, e, 0)
}

/// A result that is not negative, or the Errno the kernel answered.
@discardableResult
func checked(_ answer: Int) throws(Errno) -> Int {
    if answer < 0 { throw Errno(rawValue: Int32(truncatingIfNeeded: -answer)) }
    return answer
}
