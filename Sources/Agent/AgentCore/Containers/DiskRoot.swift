// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// A container's root on a disk of the machine. Its first process mounts it, before it is in the container's cgroup,
/// whose device rules need not allow the disk; what is on the disk can make it wait, and no other process. The kernel
/// writes all out and unmounts it with the container's last process.
enum DiskRoot {
    /// The disk's file system, mounted nowhere yet.
    static func mount(_ disk: DiskMount, settings: AgentSettings) throws(LaunchFailure) -> FileDescriptor {
        let what = "mount the disk \(disk.serial) as \(disk.fileSystem.name)"
        let node = try node(of: disk.serial, settings)
        let context: FileSystemContext
        do throws(Errno) {
            context = try FileSystemContext(disk.fileSystem.name)
        } catch .noSuchDevice {
            throw LaunchFailure(
                .rootFileSystem, "\(what): the guest's kernel has no such file system",
                errno: Errno.noSuchDevice.rawValue)
        } catch {
            throw LaunchFailure(.rootFileSystem, error, what)
        }
        do throws(Errno) {
            try context.set("source", to: node)
            for option in disk.options + (disk.isReadOnly ? ["ro"] : []) { try context.set(option) }
            return try context.mount(disk.attributes.mount)
        } catch {
            let said = context.messages().joined(separator: "; ")
            let reason = said.isEmpty ? "\(error)\(hint(error, disk))" : "\(error): \(said)"
            throw LaunchFailure(.rootFileSystem, "\(what): \(reason)", errno: error.rawValue)
        }
    }

    /// What file systems mean by numbers that say little. What they say more is on the guest's console.
    private static func hint(_ error: Errno, _ disk: DiskMount) -> String {
        switch error {
        case .invalidArgument: ": no \(disk.fileSystem.name) is on it, or one this kernel cannot read"
        case .structureNeedsCleaning: ": the file system is broken"
        case .readOnlyFileSystem where disk.isReadOnly: ": it was not unmounted, and its journal cannot be replayed"
        default: ""
        }
    }

    /// The device node of the disk with this serial.
    private static func node(of serial: String, _ settings: AgentSettings) throws(LaunchFailure) -> String {
        let names = try step(.rootFileSystem, "look for the disk \(serial)") { () throws(Errno) in
            let directory = try FileDescriptor.open(settings.blockDevices, .directory)
            return try Directory.entries(of: directory.borrowed).map(\.name)
        }
        for name in names.sorted() {
            guard let file = try? FileDescriptor.open("\(settings.blockDevices)/\(name)/serial"),
                let bytes = try? file.read(upTo: 64)
            else { continue }
            if String(decoding: bytes, as: UTF8.self).split(at: "\n").first.map(String.init) == serial {
                return "\(settings.deviceNodes)/\(name)"
            }
        }
        throw LaunchFailure(
            .rootFileSystem, "the machine has no disk \(serial)", errno: Errno.noSuchDevice.rawValue)
    }
}
