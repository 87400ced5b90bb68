// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import SandboxPlan

/// What /dev gets: nodes, links, and the terminal. Skipped where /dev is a bind of the document's.
struct ContainerDevices {
    /// The nodes every container has.
    static let common: [DevicePlan] = [
        ("/dev/null", 1, 3), ("/dev/random", 1, 8), ("/dev/full", 1, 7), ("/dev/tty", 5, 0), ("/dev/zero", 1, 5),
        ("/dev/urandom", 1, 9),
    ].map { (path: String, major: UInt32, minor: UInt32) in
        DevicePlan(path: path, kind: .character, major: major, minor: minor, mode: 0o666, uid: 0, gid: 0)
    }

    /// False where the document binds something to /dev: it is taken as it is.
    static func areNeeded(by plan: ContainerPlan) -> Bool {
        !plan.mounts.contains { mount in
            switch mount.source {
            case .shared, .guest: mount.destination.cleanedPath == "/dev"
            case .fileSystem, .cgroup, .socket: false
            }
        }
    }

    static func make(_ plan: ContainerPlan, in root: borrowing RootDirectory) throws(LaunchFailure) {
        Process.setFileModeMask(0)
        let named = Set(plan.devices.map { $0.path.cleanedPath })
        for device in common where !named.contains(device.path) { try make(device, in: root) }
        for device in plan.devices {
            // The terminal's place is bound later.
            if plan.process.hasTerminal, device.path.cleanedPath == "/dev/console" { continue }
            try make(device, in: root)
        }
        Process.setFileModeMask(0o022)
        try makeLinks(in: root)
    }

    private static func make(_ device: DevicePlan, in root: borrowing RootDirectory) throws(LaunchFailure) {
        let kind =
            switch device.kind {
            case .character: S_IFCHR
            case .block: S_IFBLK
            case .fifo: S_IFIFO
            }
        let number = FileNode.deviceNumber(major: device.major, minor: device.minor)
        try step(.device, "make device \(device.path)") { () throws(Errno) in
            let place = try root.openParent(of: device.path)
            do throws(Errno) {
                try FileNode.make(
                    place.name, at: place.directory.borrowed, mode: kind | device.mode & 0o7777, device: number)
                try FileNode.setPermissions(device.mode & 0o7777, of: place.name, at: place.directory.borrowed)
                try FileNode.setOwner(uid: device.uid, gid: device.gid, of: place.name, at: place.directory.borrowed)
            } catch  where error == .exists {
                // As runc: what is there is taken.
            } catch  where error == .notPermitted {
                // The file system takes no nodes: the guest's own is bound there.
                let copy = try Mount.copy(device.path, recursive: false)
                let status = try FileNode.status(of: copy.borrowed)
                guard status.kind == kind, status.deviceNumber == number else { throw error }
                let target = try root.open(device.path, followsLast: false, creating: .file)
                try MountPoint.attach(copy.borrowed, on: target.borrowed)
            }
        }
    }

    private static func makeLinks(in root: borrowing RootDirectory) throws(LaunchFailure) {
        try step(.device, "make /dev/ptmx") { () throws(Errno) in
            let place = try root.openParent(of: "/dev/ptmx")
            do throws(Errno) {
                try Directory.remove(place.name, at: place.directory.borrowed, isDirectory: false)
            } catch  where error == .noSuchFile {}
            try FileNode.makeSymlink(place.name, at: place.directory.borrowed, target: "pts/ptmx")
        }
        var links = [
            ("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0"), ("/dev/stdout", "/proc/self/fd/1"),
            ("/dev/stderr", "/proc/self/fd/2"),
        ]
        if (try? FileDescriptor.open("/proc/kcore", .path)) != nil { links.append(("/dev/core", "/proc/kcore")) }
        for (path, target) in links {
            try step(.device, "make \(path)") { () throws(Errno) in
                let place = try root.openParent(of: path)
                do throws(Errno) {
                    try FileNode.makeSymlink(place.name, at: place.directory.borrowed, target: target)
                } catch  where error == .exists {}
            }
        }
    }
}
