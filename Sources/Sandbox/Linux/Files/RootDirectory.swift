// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// A container's root as its processes will see it: every symlink and `..` stays within, whatever the
/// container's files say, and no step is taken by a name that was looked at before.
public struct RootDirectory: ~Copyable {
    /// Open on the directory, O_PATH.
    public let descriptor: FileDescriptor

    /// - Parameter descriptor: open on the directory, O_PATH.
    public init(descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// What is made where a path ends in nothing.
    public enum Missing {
        case nothing
        case directories
        /// The directories to it, and an empty file.
        case file
    }

    private static let linkLimit = 40

    /// Opens `path` with O_PATH.
    ///
    /// - Parameter followsLast: false opens a symlink at the end itself.
    public func open(
        _ path: String, followsLast: Bool = true, creating missing: Missing = .nothing
    ) throws(Errno) -> FileDescriptor {
        var stack = [try FileDescriptor.open(".", at: descriptor.borrowed, [.path, .directory]).release()]
        defer { for place in stack { _ = FileDescriptor(owning: place) } }
        var pending = Self.components(of: path)
        var linkCount = 0
        while let name = pending.popLast() {
            if name == ".." {
                if stack.count > 1 { _ = FileDescriptor(owning: stack.removeLast()) }
                continue
            }
            let here = stack[stack.count - 1]
            let file = try Self.openOrMake(name, at: here, isLast: pending.isEmpty, missing)
            let status = try FileNode.status(of: file.borrowed)
            if status.isSymlink, followsLast || !pending.isEmpty {
                linkCount += 1
                if linkCount > Self.linkLimit { throw .tooManyLinks }
                let target = try Directory.link(name, at: here)
                if target.isAbsolutePath {
                    while stack.count > 1 { _ = FileDescriptor(owning: stack.removeLast()) }
                }
                pending += Self.components(of: target)
                continue
            }
            if !pending.isEmpty, !status.isDirectory { throw .notDirectory }
            stack.append(file.release())
        }
        return FileDescriptor(owning: stack.removeLast())
    }

    /// A name in a directory.
    public struct Place: ~Copyable {
        /// Open, O_PATH.
        public let directory: FileDescriptor
        /// One name, without slashes.
        public let name: String
    }

    /// Opens the directory that `path` lies in, made where it is missing.
    public func openParent(of path: String) throws(Errno) -> Place {
        var components = Self.components(of: path)
        guard let name = components.first, name != ".." else { throw .invalidArgument }
        components.removeFirst()
        let directory = try open(components.reversed().joined(separator: "/"), creating: .directories)
        return Place(directory: directory, name: name)
    }

    /// The names of `path`, the last first.
    private static func components(of path: String) -> [String] {
        path.pathNames.reversed().filter { $0 != "." }
    }

    private static func openOrMake(
        _ name: String, at directory: BorrowedDescriptor, isLast: Bool, _ missing: Missing
    ) throws(Errno) -> FileDescriptor {
        do {
            return try FileDescriptor.open(name, at: directory, [.path, .noFollow])
        } catch  where error == .noSuchFile {
            switch missing {
            case .nothing:
                throw error
            case .file where isLast:
                _ = try FileDescriptor.open(name, at: directory, [.create, .exclusive, .noFollow], mode: 0o755)
            case .directories, .file:
                try Directory.make(name, at: directory)
            }
            return try FileDescriptor.open(name, at: directory, [.path, .noFollow])
        }
    }
}
