// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// A directory of a test's own, removed with all that is in it. Its path is short, for sockets.
public final class Scratch: Sendable {
    public let path: String

    public init() {
        var template = Array("/tmp/fcs.XXXXXX\0".utf8)
        path = unsafe template.withUnsafeMutableBytes { bytes in
            // mkdtemp fills in the name in place; the bytes end with a NUL.
            let name = unsafe bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
            return unsafe mkdtemp(name) == nil ? "" : String(cString: name)
        }
        precondition(!path.isEmpty)
    }

    deinit { Self.remove(path) }

    /// Removes a directory with all that is in it, whatever the bytes of the names and the modes are.
    public static func remove(_ path: String) {
        if let directory = unsafe opendir(path) {
            unsafe empty(directory)
            unsafe closedir(directory)
        }
        _ = unsafe rmdir(path)
    }

    private static func empty(_ directory: OpaquePointer) {
        let number = unsafe dirfd(directory)
        while let entry = unsafe readdir(directory) {
            // The name ends with a NUL, and stays until the next is read.
            unsafe withUnsafePointer(to: &entry.pointee.d_name) { bytes in
                let name = unsafe UnsafeRawPointer(bytes).assumingMemoryBound(to: CChar.self)
                let isOwn = unsafe strcmp(name, ".") == 0 || strcmp(name, "..") == 0
                guard !isOwn, unsafe unlinkat(number, name, 0) != 0 else { return }
                // A directory, then.
                _ = unsafe fchmodat(number, name, 0o700, 0)
                if let inner = unsafe fdopendir(openat(number, name, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) {
                    unsafe empty(inner)
                    unsafe closedir(inner)
                }
                _ = unsafe unlinkat(number, name, AT_REMOVEDIR)
            }
        }
    }

    /// Makes a directory, with those on the way to it.
    public func directory(_ name: String) throws -> String {
        var place = path
        for component in name.split(separator: "/") {
            place += "/" + component
            if !exists(String(place.dropFirst(path.utf8.count + 1))) { try Directory.make(place) }
        }
        return place
    }

    @discardableResult
    public func write(_ text: String, to name: String, mode: UInt32 = 0o600) throws -> String {
        let place = "\(path)/\(name)"
        try FileDescriptor.open(place, [.writeOnly, .create, .truncate], mode: mode).writeAll(Array(text.utf8))
        return place
    }

    public func fifo(_ name: String) throws -> String {
        let place = "\(path)/\(name)"
        try FileNode.make(place, at: .currentDirectory, mode: S_IFIFO | 0o600)
        return place
    }

    public func link(_ name: String, to target: String) throws -> String {
        let place = "\(path)/\(name)"
        try FileNode.makeSymlink(place, at: .currentDirectory, target: target)
        return place
    }

    public func read(_ name: String) -> String? {
        guard let bytes = try? FileDescriptor.open("\(path)/\(name)").readAll(limit: 1 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    public func exists(_ name: String) -> Bool {
        (try? FileDescriptor.open("\(path)/\(name)", [.path, .noFollow])) != nil
    }
}
