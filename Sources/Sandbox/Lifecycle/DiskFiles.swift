import Glibc
import Linux
import Planning
import SandboxPlan

/// The files of a sandbox's disks, open, each locked for as long as the monitor holds it: two machines that write one
/// file system destroy it. Closed here when this goes.
struct DiskFiles: ~Copyable {
    private(set) var plans: [DiskPlan] = []

    init(_ disks: [HostDisk]) throws(RuntimeError) {
        for disk in disks {
            plans.append(
                DiskPlan(
                    serial: disk.serial, descriptor: try Self.open(disk).release(), isReadOnly: disk.isReadOnly))
        }
    }

    deinit {
        for plan in plans { _ = FileDescriptor(owning: plan.descriptor) }
    }

    /// How long the kernel may take to let go of what a monitor that ended had open: a ring of requests (io_uring(7)) is
    /// taken apart after its process.
    private static let releaseTimeout = Duration.seconds(3)

    /// Waits until nobody holds the disks at `paths`, so that whoever hears of the machine's end may use them. One that
    /// somebody else took meanwhile is not waited for any longer than the others.
    static func awaitRelease(_ paths: [String]) {
        let deadline = Deadline(after: releaseTimeout)
        for path in paths {
            while isHeld(path), !deadline.hasPassed { SystemTime.sleep(milliseconds: 5) }
        }
    }

    private static func isHeld(_ path: String) -> Bool {
        do throws(RuntimeError) {
            _ = try open(HostDisk(path: path, serial: "", isReadOnly: false))
            return false
        } catch {
            if case .diskInUse = error { return true }
            return false
        }
    }

    private static func open(_ disk: HostDisk) throws(RuntimeError) -> FileDescriptor {
        do throws(Errno) {
            // What it is comes first: to open a device of another kind may do something.
            let place = try FileDescriptor.open(disk.path, .path)
            let kind = try FileNode.status(of: place.rawValue).kind
            guard kind == S_IFREG || kind == S_IFBLK else { throw Errno(rawValue: ENOTBLK) }
            var options: OpenOptions = disk.isReadOnly ? [] : .readWrite
            // Of a block device O_EXCL asks that the kernel uses it for nothing else, such as a mount.
            if kind == S_IFBLK, !disk.isReadOnly { options.insert(.exclusive) }
            // The descriptor stands for what was looked at, whatever has its name by now.
            let file = try FileDescriptor.open("/proc/self/fd/\(place.rawValue)", options)
            guard try file.tryLock(isShared: disk.isReadOnly) else { throw .busy }
            return file
        } catch {
            if error == .busy { throw .diskInUse(path: disk.path) }
            throw .disk(path: disk.path, error)
        }
    }
}
