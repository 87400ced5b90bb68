import CLinux
import Linux

/// Paths a container sees but cannot change, or sees nothing of.
enum HiddenPaths {
    /// Makes `paths` read-only, with what they are mounted with otherwise. What is not there is left out.
    static func makeReadOnly(_ paths: [String], in root: borrowing RootDirectory) throws(LaunchFailure) {
        for path in paths {
            guard let target = try existing(path, in: root, .readOnlyPath) else { continue }
            try step(.readOnlyPath, "make \(path) read-only") { () throws(Errno) in
                let copy = try Mount.copy("", at: target.rawValue, recursive: true)
                try Mount.setAttributes(at: copy.rawValue, set: .readOnly)
                try Mount.attach(copy.rawValue, on: target.rawValue)
            }
        }
    }

    /// Covers files by the guest's /dev/null and directories by an empty read-only tmpfs.
    static func mask(_ paths: [String], in root: borrowing RootDirectory) throws(LaunchFailure) {
        guard !paths.isEmpty else { return }
        // The guest's own, and not what a container's /dev says (CVE-2025-31133).
        let null = try step(.maskedPath, "open /dev/null") { () throws(Errno) in
            let null = try FileDescriptor.open("/dev/null", [.path, .noFollow])
            let status = try FileNode.status(of: null.rawValue)
            guard status.isCharacterDevice, status.deviceNumber == FileNode.deviceNumber(major: 1, minor: 3) else {
                throw .noSuchFile
            }
            return null
        }
        for path in paths {
            guard let target = try existing(path, in: root, .maskedPath) else { continue }
            try step(.maskedPath, "mask \(path)") { () throws(Errno) in
                let cover =
                    try Directory.isDirectory(target.rawValue)
                    ? try Mount.make("tmpfs", source: "tmpfs", attributes: .readOnly)
                    : try Mount.copy("", at: null.rawValue, recursive: false)
                try Mount.attach(cover.rawValue, on: target.rawValue)
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
