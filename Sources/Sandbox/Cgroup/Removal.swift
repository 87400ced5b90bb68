import CLinux
import Glibc
import Linux

extension HostCgroup {
    /// How often, and how far apart, a busy cgroup is tried again: two seconds in all. A killed process leaves
    /// its cgroup only once the kernel has taken it apart, which for a large guest takes a while.
    static let attempts = 100
    static let pauseMicroseconds: UInt32 = 20_000

    /// Kills what is left in the directories that were made for the sandbox, and removes them, and then those
    /// above them that were made as well and hold nothing else. Done twice, it changes nothing.
    public func remove() throws(CgroupError) {
        let own = directories.filter(made.contains)
        for directory in own { try Self.removeTree(directory) }
        for directory in made.reversed() where !directories.contains(directory) {
            do {
                try Directory.remove(directory, at: FileDescriptor.currentDirectory, isDirectory: true)
            } catch .busy {
                continue  // Another sandbox's by now.
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
                try Directory.remove(directory, at: FileDescriptor.currentDirectory, isDirectory: true)
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

    /// Ends every process in `directory`: all at once by cgroup.kill on version 2, one by one on version 1.
    static func kill(_ directory: String) throws(CgroupError) {
        if (try? ControlFile.write("1", to: "\(directory)/cgroup.kill")) != nil { return }
        for pid in try ControlFile.processes(in: directory) { try? Process.kill(pid, SIGKILL) }
    }

    static func subdirectories(_ directory: String) throws(Errno) -> [String] {
        let opened = try FileDescriptor.open(directory, [.directory, .noFollow])
        return try Directory.subdirectories(of: opened.rawValue)
    }
}
