// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

extension Process {
    /// PR_SET_CHILD_SUBREAPER: processes below this one whose parent ends become its children. Not inherited.
    static func adoptOrphans() throws(Errno) {
        try syscall(__NR_prctl, Int(PR_SET_CHILD_SUBREAPER), 1)
    }
}
