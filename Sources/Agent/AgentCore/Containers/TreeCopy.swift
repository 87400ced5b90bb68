// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// Copies a directory's contents into another: a tmpfs that begins with what it covers (`tmpcopyup`).
enum TreeCopy {
    private static let depthLimit = 64

    /// - Parameters:
    ///   - source: an open directory, O_PATH.
    ///   - target: an open directory.
    static func copy(from source: BorrowedDescriptor, to target: BorrowedDescriptor, depth: Int = 0) throws(Errno) {
        guard depth < depthLimit else { throw .nameTooLong }
        let directory = try FileDescriptor.open(".", at: source, .directory)
        for entry in try Directory.entries(of: directory.borrowed) {
            let status = try FileNode.status(entry.name, at: directory.borrowed)
            switch status.kind {
            case S_IFDIR:
                try Directory.make(entry.name, at: target, mode: 0o700)
                let from = try FileDescriptor.open(entry.name, at: directory.borrowed, [.directory, .noFollow])
                let to = try FileDescriptor.open(entry.name, at: target, [.directory, .noFollow])
                try copy(from: from.borrowed, to: to.borrowed, depth: depth + 1)
            case S_IFLNK:
                try FileNode.makeSymlink(
                    entry.name, at: target, target: try Directory.link(entry.name, at: directory.borrowed))
            case S_IFREG:
                try copyFile(entry.name, from: directory.borrowed, to: target)
            default:
                try FileNode.make(entry.name, at: target, mode: status.kind | 0o600, device: status.deviceNumber)
            }
            try FileNode.setOwner(uid: status.uid, gid: status.gid, of: entry.name, at: target)
            if !status.isSymlink { try FileNode.setPermissions(status.permissions, of: entry.name, at: target) }
        }
    }

    private static func copyFile(
        _ name: String, from source: BorrowedDescriptor, to target: BorrowedDescriptor
    ) throws(Errno) {
        let from = try FileDescriptor.open(name, at: source, .noFollow)
        let to = try FileDescriptor.open(name, at: target, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
        while true {
            let bytes = try from.read(upTo: 65536)
            if bytes.isEmpty { return }
            try to.writeAll(bytes)
        }
    }
}
