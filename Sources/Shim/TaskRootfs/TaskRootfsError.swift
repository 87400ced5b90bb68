// SPDX-License-Identifier: Apache-2.0
public import Linux
import Overlay

/// Why a task's root was not mounted, or not unmounted. What was asked for is named as the client wrote it.
public enum TaskRootfsError: Error, Hashable, Sendable {
    case bundle(path: String, Errno)
    case rootfs(path: String, Errno)
    case tooManyMounts(Int, limit: Int)
    case tooManyOptions(type: String, Int, limit: Int)
    case tooLong(what: String, byteCount: Int, limit: Int)
    case unsupportedType(String)
    /// A disk is the whole of a root or no part of it.
    case diskAmongOthers(type: String, mountCount: Int)
    case diskWithTarget(type: String, target: String)
    case disk(path: String, Errno)
    case notADisk(path: String, found: String)
    case relativePath(what: String, String)
    case target(String)
    case targetMissing(String, Errno)
    case source(String, Errno)
    case remount(type: String)
    case idMapping(String)
    case unsupportedOption(String, type: String)
    /// The file system refused it; `detail` is what the kernel said.
    case option(String, type: String, Errno, detail: String)
    case optionMissing(String, type: String)
    /// A directory that an option names.
    case directory(option: String, path: String, Errno)
    case mount(type: String, source: String, target: String, Errno, detail: String)
    case unmount(path: String, Errno)
    case stillMounted(path: String, layers: Int)
}

extension TaskRootfsError {
    init(_ error: OverlayError, _ mount: RootMount) {
        self =
            switch error {
            case .optionMissing(let option): .optionMissing(option, type: mount.type)
            case .relativePath(let option, let path): .relativePath(what: "mount option \(option):", path)
            case .unsupportedOption(let option): .unsupportedOption(option, type: mount.type)
            case .directory(let option, let path, let errno): .directory(option: option, path: path, errno)
            case .option(let option, let errno, let detail): .option(option, type: mount.type, errno, detail: detail)
            case .mount(let errno, let detail):
                .mount(
                    type: mount.type, source: mount.source, target: mount.target.isEmpty ? "/" : mount.target, errno,
                    detail: detail)
            case .listTooLong(let count, let limit):
                .tooLong(what: "options of an overlay", byteCount: count, limit: limit)
            }
    }
}

extension TaskRootfsError: CustomStringConvertible {
    /// The problem as containerd reads it.
    public var description: String {
        switch self {
        case .bundle(let path, let errno): "bundle \(path): \(errno)"
        case .rootfs(let path, let errno): "rootfs \(path): \(errno)"
        case .tooManyMounts(let count, let limit): "rootfs: \(count) mounts, at most \(limit) are taken"
        case .tooManyOptions(let type, let count, let limit):
            "rootfs: mount of type \(quoted(type)): \(count) options, at most \(limit) are taken"
        case .tooLong(let what, let count, let limit): "rootfs: \(what): \(count) bytes, at most \(limit) are taken"
        case .unsupportedType(let type): "rootfs: mounts of type \(quoted(type)) are not supported"
        case .diskAmongOthers(let type, let count):
            "rootfs: a disk (type \(quoted(type))) must be the only mount, but there are \(count)"
        case .diskWithTarget(let type, let target):
            "rootfs: a disk (type \(quoted(type))) must be the root, not \(quoted(target))"
        case .disk(let path, let errno): "rootfs: disk \(quoted(path)): \(errno)"
        case .notADisk(let path, let found):
            "rootfs: disk \(quoted(path)): is \(found), not a block device or an image file"
        case .relativePath(let what, let path): "rootfs: \(what) \(quoted(path)): must be an absolute path"
        case .target(let target): "rootfs: mount target \(quoted(target)): must lie in the root file system"
        case .targetMissing(let target, let errno): "rootfs: mount target \(quoted(target)): \(errno)"
        case .source(let source, let errno): "rootfs: mount source \(quoted(source)): \(errno)"
        case .remount(let type): "rootfs: mount of type \(quoted(type)): there is nothing to remount"
        case .idMapping(let option): "rootfs: mount option \(quoted(option)): mapped ids are not supported"
        case .unsupportedOption(let option, let type):
            "rootfs: mount option \(quoted(option)) is not supported for type \(quoted(type))"
        case .option(let option, let type, let errno, let detail):
            "rootfs: mount option \(quoted(option)) for type \(quoted(type)): \(errno)\(suffix(detail))"
        case .optionMissing(let option, let type): "rootfs: mount of type \(quoted(type)): option \(option) is missing"
        case .directory(let option, let path, let errno): "rootfs: mount option \(option): \(quoted(path)): \(errno)"
        case .mount(let type, let source, let target, let errno, let detail):
            "rootfs: mount \(quoted(source)) of type \(quoted(type)) on \(quoted(target)): \(errno)\(suffix(detail))"
        case .unmount(let path, let errno): "unmount \(path): \(errno)"
        case .stillMounted(let path, let layers): "unmount \(path): still mounted after \(layers) layers"
        }
    }

    private func suffix(_ detail: String) -> String { detail.isEmpty ? "" : " (\(detail))" }

    /// The client's words, cut to what a line of a log can bear and with nothing in them that could end the line.
    private func quoted(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(200).map { $0.properties.generalCategory == .control ? "?" : String($0) }
        return "\"\(shown.joined())\(text.unicodeScalars.count > 200 ? "…" : "")\""
    }
}
