// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TestSupport

extension Scratch {
    /// The permission bits of a file below.
    func mode(_ name: String) -> UInt32 {
        var status = stat()
        return unsafe lstat("\(path)/\(name)", &status) == 0 ? status.st_mode & 0o7777 : 0
    }
}

/// A child that waits until it is killed. It is another program, for a copy of this one would hold on to the
/// locks of tests that run meanwhile.
final class Child {
    let pid: Int32

    init() throws(Errno) {
        var pid: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe [strdup("sleep"), strdup("600"), nil]
        defer { unsafe free(arguments[0]) }
        // posix_spawn reads the list, which a null pointer ends.
        let result = unsafe posix_spawn(&pid, "/bin/sleep", nil, nil, &arguments, environ)
        guard result == 0 else { throw Errno(rawValue: result) }
        self.pid = pid
    }

    /// Kills it without reaping: a zombie stays.
    func kill() throws { try Process.kill(pid, SIGKILL) }

    func reap() throws { _ = try Process.wait(for: pid) }
}
