// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

extension HostCgroup {
    /// A process that forks in one round leaves its child to the next.
    private static let movingRounds = 16

    /// Makes a cgroup beside this one, with its limits and with `suffix` appended to its name, moves all processes there,
    /// and removes this one.
    public func moved(suffix: String) throws(CgroupError) -> HostCgroup {
        var new = HostCgroup(directories: [], made: made.filter { !directories.contains($0) })
        for directory in directories {
            let place = directory + suffix
            try new.make(place)
            new.directories.append(place)
            // The other version's files are not there.
            for file in CgroupLimits.fileNames {
                guard let value = (try? ControlFile.read("\(directory)/\(file)"))?.split(at: "\n").first,
                    !value.isEmpty
                else { continue }
                try ControlFile.write(String(value), to: "\(place)/\(file)")
            }
            for _ in 0..<Self.movingRounds {
                let pids = try ControlFile.processes(in: directory)
                if pids.isEmpty { break }
                for pid in pids {
                    do {
                        try ControlFile.write("\(pid)", to: "\(place)/cgroup.procs")
                    } catch .write(_, _, .noSuchProcess) {
                        continue
                    }
                }
            }
        }
        // Not with `remove`, which kills what it finds.
        for directory in directories where made.contains(directory) {
            do {
                try Directory.remove(directory, at: .currentDirectory, isDirectory: true)
            } catch .noSuchFile {
                continue
            } catch {
                throw .remove(path: directory, error)
            }
        }
        return new
    }
}
