// SPDX-License-Identifier: Apache-2.0
import CLinux

extension Process {
    /// pidfd_send_signal(2): reaches just the process the descriptor was opened for, even if another
    /// has its number now. Signal 0 only asks whether it is there.
    public static func signal(_ descriptor: borrowing FileDescriptor, _ signal: Int32) throws(Errno) {
        try syscall(__NR_pidfd_send_signal, Int(descriptor.rawValue), Int(signal), 0, 0)
    }
}
