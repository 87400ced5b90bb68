// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Planning
import SandboxPlan

/// The files of a sandbox's disks, open, each locked for as long as the monitor holds it: two machines that write one
/// file system destroy it. Closed here when this goes.
struct DiskFiles: ~Copyable {
    private(set) var plans: [DiskPlan] = []
    private var files = DescriptorList()

    init() {}

    init(of bundle: BundlePlan) throws(RuntimeError) {
        if let disk = bundle.rootDisk, case .disk(let mount) = bundle.container.root.source {
            try add(disk.path, serial: mount.serial, isReadOnly: mount.isReadOnly)
        }
    }

    /// Opens and locks the disk at `path`, a regular file or a block device.
    mutating func add(_ path: String, serial: String, isReadOnly: Bool) throws(RuntimeError) {
        let file = try Self.open(path, isReadOnly: isReadOnly)
        plans.append(DiskPlan(serial: serial, descriptor: files.append(file).rawValue, isReadOnly: isReadOnly))
    }

    /// How long the kernel may take to let go of what a monitor that ended had open: a ring of requests (io_uring(7)) is
    /// taken apart after its process.
    private static let releaseTimeout = Duration.seconds(3)

    /// Waits until the disks at `paths` are free, so that they can be used once the machine is known to have ended. One
    /// that another process took meanwhile is not waited for any longer than the others.
    static func awaitRelease(_ paths: [String]) {
        let deadline = Deadline(after: releaseTimeout)
        for path in paths {
            while isHeld(path), !deadline.hasPassed { SystemTime.sleep(milliseconds: 5) }
        }
    }

    private static func isHeld(_ path: String) -> Bool {
        do throws(RuntimeError) {
            _ = try open(path, isReadOnly: false)
            return false
        } catch {
            if case .diskInUse = error { return true }
            return false
        }
    }

    private static func open(_ path: String, isReadOnly: Bool) throws(RuntimeError) -> FileDescriptor {
        do throws(Errno) {
            // What it is comes first: to open a device of another kind may do something.
            let place = try FileDescriptor.open(path, .path)
            let kind = try FileNode.status(of: place.borrowed).kind
            guard kind == S_IFREG || kind == S_IFBLK else { throw Errno(rawValue: ENOTBLK) }
            var options: OpenOptions = isReadOnly ? [] : .readWrite
            // Of a block device O_EXCL asks that the kernel uses it for nothing else, such as a mount.
            if kind == S_IFBLK, !isReadOnly { options.insert(.exclusive) }
            // The descriptor stands for what was looked at, whatever has its name by now.
            let file = try FileDescriptor.open(place.borrowed.path, options)
            guard try file.tryLock(isShared: isReadOnly) else { throw .busy }
            return file
        } catch {
            if error == .busy { throw .diskInUse(path: path) }
            throw .disk(path: path, error)
        }
    }
}
