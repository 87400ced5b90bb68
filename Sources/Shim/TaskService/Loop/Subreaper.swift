import CLinux
import Glibc
import Linux

extension Process {
    /// PR_SET_CHILD_SUBREAPER: processes below this one whose parent ends become its children. Not inherited.
    static func adoptOrphans() throws(Errno) {
        try syscall(__NR_prctl, Int(PR_SET_CHILD_SUBREAPER), 1)
    }

    /// Closes every descriptor but those of `kept`.
    static func closeDescriptors(except kept: [Int32]) throws(Errno) {
        var first: UInt32 = 0
        for number in Set(kept).filter({ $0 >= 0 }).sorted() {
            let number = UInt32(number)
            if number > first { try closeDescriptors(from: first, through: number - 1) }
            first = number + 1
        }
        try closeDescriptors(from: first)
    }
}
