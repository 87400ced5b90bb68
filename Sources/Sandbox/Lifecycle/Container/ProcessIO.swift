// SPDX-License-Identifier: Apache-2.0
public import Linux

/// How the caller holds the streams of a process.
public enum ProcessIO: Hashable, Sendable {
    /// This process's own 0, 1 and 2.
    case inherited
    /// Open descriptors, the caller's before and after; nil is /dev/null. A process with a terminal gets
    /// its bytes raw: there is none on the host, and `error` is not used.
    case descriptors(input: BorrowedDescriptor?, output: BorrowedDescriptor?, error: BorrowedDescriptor?)
}
