// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// The caller's standard streams, for which the proxy stands in.
enum CallerStream {
    /// A descriptor on what `caller` is open on, that does not block where that could be for long.
    ///
    /// O_NONBLOCK belongs to the open file, which others share (the caller's shell, for one), so a pipe or
    /// terminal is opened anew. Sockets cannot be; files never block for long. A fifo that the caller has open both
    /// ways stays so: its reader may come and go without the writer's hearing of it.
    static func nonBlocking(
        _ caller: BorrowedDescriptor, _ access: OpenOptions, _ files: borrowing HostFiles
    ) throws(Errno) -> FileDescriptor {
        let kind = try FileNode.status(of: caller).kind
        let flags = try caller.statusFlags()
        let isBothWays = kind == S_IFIFO && access != [] && flags & O_ACCMODE == O_RDWR
        if kind == S_IFIFO || kind == S_IFCHR,
            let descriptor = try? FileDescriptor.open(
                "\(caller.rawValue)", at: files.ownDescriptors.borrowed,
                [isBothWays ? .readWrite : access, .nonBlocking, .noControllingTerminal])
        {
            return descriptor
        }
        return try caller.duplicate()
    }
}
