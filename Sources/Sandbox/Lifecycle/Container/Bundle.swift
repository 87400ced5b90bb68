// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import OCISpec
import Planning

/// A bundle as it lies on the host, config.json read and held against what fc-runc does.
struct Bundle {
    /// Absolute.
    let path: String
    let spec: Spec
    /// How it stands to others.
    let role: PodRole
    /// The document's own bytes, kept with the container's state for `exec`.
    let document: [UInt8]
    /// Absolute, no component a symlink.
    let rootPath: String

    init(path: String) throws(RuntimeError) {
        guard let resolved = realPath(path) else { throw .bundle(path: path, Errno(rawValue: errno)) }
        self.path = resolved
        do {
            let file = try FileDescriptor.open(resolved + "/config.json", [.nonBlocking])
            document = try file.readAll(limit: Spec.byteLimit)
        } catch .noSuchFile {
            throw .configurationMissing(path: resolved + "/config.json")
        } catch {
            throw .configuration(path: resolved + "/config.json", error)
        }
        do {
            spec = try Spec.parse(document)
            try spec.validate()
        } catch {
            throw .spec(error)
        }
        do {
            role = try PodRole(spec)
        } catch {
            throw .planning(error)
        }
        let unsupported = spec.unsupportedFields()
        guard unsupported.isEmpty else { throw .unsupported(unsupported) }
        guard let process = spec.process, !process.args.isEmpty else { throw .processMissing }
        guard let root = spec.root, !root.path.isEmpty else { throw .rootMissing }
        rootPath = try Self.rootPath(root.path, bundle: resolved)
    }

    /// The root file system's place: absolute, a directory, and reached through no symlink, so that what was
    /// checked is what is shared. A relative one stays inside the bundle.
    private static func rootPath(_ path: String, bundle: String) throws(RuntimeError) -> String {
        let isRelative = !path.isAbsolutePath
        if isRelative, path.pathNames.contains("..") { throw .rootOutsideBundle(path) }
        // An absolute path is cleaned by its text, as Go's filepath.Clean does for runc.
        let plain = (isRelative ? bundle + "/" + path : path).cleanedPath
        guard let resolved = realPath(plain) else { throw .root(path: plain, Errno(rawValue: errno)) }
        guard resolved.utf8.elementsEqual(plain.utf8) else { throw .rootIsLink(plain) }
        guard isDirectory(plain) else { throw .root(path: plain, .notDirectory) }
        return plain
    }
}

/// realpath(3): nil, with errno set, for what does not exist or cannot be reached.
func realPath(_ path: String) -> String? {
    if path.utf8.contains(0) {
        errno = EINVAL
        return nil
    }
    // With nil, realpath makes the C string itself.
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    // realpath gave a C string of its own, freed here.
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
}

/// Whether `path`, symlinks followed, is a directory.
func isDirectory(_ path: String) -> Bool {
    (try? FileDescriptor.open(path, [.path, .directory])) != nil
}
