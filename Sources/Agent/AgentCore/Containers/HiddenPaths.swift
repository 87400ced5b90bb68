// SPDX-License-Identifier: Apache-2.0
import CLinux
import Linux

/// Paths a container sees but cannot change, or sees nothing of.
enum HiddenPaths {
    /// Makes `paths` read-only, with what they are mounted with otherwise. What is not there is left out.
    static func makeReadOnly(_ paths: [String], in root: borrowing RootDirectory) throws(LaunchFailure) {
        for path in paths {
            guard let target = try existing(path, in: root, .readOnlyPath) else { continue }
            try step(.readOnlyPath, "make \(path) read-only") { () throws(Errno) in
                let copy = try Mount.copy("", at: target.borrowed, recursive: true)
                try Mount.setAttributes(at: copy.borrowed, set: .readOnly)
                try MountPoint.attach(copy.borrowed, on: target.borrowed)
            }
        }
    }

    /// Covers files by the guest's /dev/null and directories by an empty read-only tmpfs.
    static func mask(_ paths: [String], in root: borrowing RootDirectory) throws(LaunchFailure) {
        guard !paths.isEmpty else { return }
        // The guest's own, and not what a container's /dev says (CVE-2025-31133).
        let null = try step(.maskedPath, "open /dev/null") { () throws(Errno) in
            let null = try FileDescriptor.open("/dev/null", [.path, .noFollow])
            let status = try FileNode.status(of: null.borrowed)
            guard status.isCharacterDevice, status.deviceNumber == FileNode.deviceNumber(major: 1, minor: 3) else {
                throw .noSuchFile
            }
            return null
        }
        var seen: Set<String> = []
        var empty: FileDescriptor?
        for path in paths where seen.insert(path.cleanedPath).inserted {
            guard let target = try existing(path, in: root, .maskedPath) else { continue }
            try step(.maskedPath, "mask \(path)") { () throws(Errno) in
                guard try Directory.isDirectory(target.borrowed) else {
                    let cover = try Mount.copy("", at: null.borrowed, recursive: false)
                    return try MountPoint.attach(cover.borrowed, on: target.borrowed)
                }
                // One tmpfs covers all of them.
                if let prepared = empty?.borrowed {
                    let cover = try Mount.copy("", at: prepared, recursive: false)
                    return try MountPoint.attach(cover.borrowed, on: target.borrowed)
                }
                let cover = try Mount.make("tmpfs", source: "tmpfs", attributes: .readOnly)
                try MountPoint.attach(cover.borrowed, on: target.borrowed)
                empty = consume cover
            }
        }
    }

    private static func existing(
        _ path: String, in root: borrowing RootDirectory, _ stage: LaunchStage
    ) throws(LaunchFailure) -> FileDescriptor? {
        do {
            return try root.open(path)
        } catch  where error == .noSuchFile || error == .notDirectory {
            return nil
        } catch {
            throw LaunchFailure(stage, error, "open \(path)")
        }
    }
}
