// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

extension HostCgroup {
    /// How often, and with what pause, removing a busy cgroup is tried again: two seconds in all. A killed process stays in
    /// its cgroup until the kernel has freed its memory, which takes long for a large guest.
    static let attempts = 100
    static let pauseMicroseconds: UInt32 = 20_000

    /// Kills all processes in the directories that were made for the sandbox and removes them, and then those above them
    /// that were made and hold nothing else. A second call changes nothing.
    public func remove() throws(CgroupError) {
        let own = directories.filter(made.contains)
        for directory in own { try Self.removeTree(directory) }
        // One that is busy has another sandbox in it.
        try Self.removeEmpty(made.filter { !directories.contains($0) })
    }

    /// Removes those of `directories`, parents first, that exist and hold nothing. The process that was to make them may
    /// have been killed before it noted that it had.
    public static func removeEmpty(_ directories: [String]) throws(CgroupError) {
        for directory in directories.reversed() {
            do {
                try Directory.remove(directory, at: .currentDirectory, isDirectory: true)
            } catch .busy {
                continue  // Another's: no process of ours enters a cgroup before it is noted as made.
            } catch .noSuchFile {
                continue
            } catch {
                throw .remove(path: directory, error)
            }
        }
    }

    /// Removes `directory` and every cgroup below it.
    static func removeTree(_ directory: String) throws(CgroupError) {
        var last = Errno.busy
        for attempt in 0..<attempts {
            do {
                try Directory.remove(directory, at: .currentDirectory, isDirectory: true)
                return
            } catch .noSuchFile {
                return
            } catch .busy {
                last = .busy
            } catch {
                throw .remove(path: directory, error)
            }
            if attempt > 0 { usleep(pauseMicroseconds) }
            try kill(directory)
            for name in (try? subdirectories(directory)) ?? [] { try removeTree("\(directory)/\(name)") }
        }
        throw .remove(path: directory, last)
    }

    /// Kills every process in `directory`: together by cgroup.kill on version 2, one by one on version 1.
    static func kill(_ directory: String) throws(CgroupError) {
        if (try? ControlFile.write("1", to: "\(directory)/cgroup.kill")) != nil { return }
        for pid in try ControlFile.processes(in: directory) { try? Process.kill(pid, SIGKILL) }
    }

    static func subdirectories(_ directory: String) throws(Errno) -> [String] {
        let opened = try FileDescriptor.open(directory, [.directory, .noFollow])
        return try Directory.subdirectories(of: opened.borrowed)
    }
}
