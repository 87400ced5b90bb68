// SPDX-License-Identifier: Apache-2.0
import Linux

/// The small text files of a cgroup.
enum ControlFile {
    /// More than any of them holds: 4 Mi pids of eight bytes.
    static let byteLimit = 32 << 20

    static func read(_ path: String) throws(CgroupError) -> String {
        do {
            return String(decoding: try FileDescriptor.open(path).readAll(limit: byteLimit), as: UTF8.self)
        } catch {
            throw .read(path: path, error)
        }
    }

    /// What is read, split at white space.
    static func words(_ path: String) throws(CgroupError) -> [String] {
        try read(path).words.map(String.init)
    }

    /// Writes `value` in one write(2), which is what the kernel takes for one setting.
    static func write(_ value: String, to path: String) throws(CgroupError) {
        do {
            try FileDescriptor.open(path, .writeOnly).writeAll(Array(value.utf8))
        } catch {
            throw .write(path: path, value: value, error)
        }
    }

    /// The pids in `directory`; none where it is gone.
    static func processes(in directory: String) throws(CgroupError) -> [Int32] {
        do {
            return try read("\(directory)/cgroup.procs").split(at: "\n").compactMap { Int32($0) }.filter {
                $0 > 0
            }
        } catch .read(_, .noSuchFile) {
            return []
        } catch .read(_, .noDevice) {
            return []
        }
    }
}

extension Errno {
    /// What reading a cgroup that was removed meanwhile answers, ENODEV.
    static let noDevice = Errno(rawValue: 19)
}
