// SPDX-License-Identifier: Apache-2.0
import FileSystem
import Linux
import ProgramArguments
import VhostUser

/// fc-fsd: one directory tree, served to one microVM over vhost-user.
enum FileSystemProgram {
    /// Serves until the front-end hangs up; the exit code is then 0, and 1 for anything that went wrong.
    static func run(_ commandLine: [String]) -> Never {
        let arguments: FileServerArguments
        do {
            arguments = try FileServerArguments(parsing: commandLine.dropFirst())
        } catch {
            say("\(error); \(FileServerArguments.usage)", on: .standardError)
            Process.exitNow(1)
        }
        do {
            try serve(arguments)
        } catch {
            say("\(error)", on: BorrowedDescriptor(rawValue: arguments.log))
            Process.exitNow(1)
        }
        Process.exitNow(0)
    }

    private static func serve(_ arguments: FileServerArguments) throws {
        let log = BorrowedDescriptor(rawValue: arguments.log)
        let limit = try DescriptorLimit.raise()
        let device = try FileSystemDevice(
            root: try open(arguments.directory), tag: arguments.tag, isReadOnly: arguments.isReadOnly,
            cache: arguments.cache, workerCount: arguments.threadCount, descriptorLimit: limit,
            inodeLimit: arguments.inodeLimit
        ) { line in say(line, on: log) }
        let backend = try Backend(
            device: device, connection: try connect(arguments.socket), offersConfiguration: false)
        try backend.serve()
    }

    private static func open(_ place: FileServerArguments.Place) throws(FileSystemError) -> FileDescriptor {
        switch place {
        case .descriptor(let descriptor): return FileDescriptor(owning: descriptor)
        case .path(let path):
            do {
                return try FileDescriptor.open(path, [.path, .directory])
            } catch {
                throw .tree(operation: "open \(path)", error)
            }
        }
    }

    private static func connect(_ place: FileServerArguments.Place) throws(Errno) -> FileDescriptor {
        switch place {
        case .descriptor(let descriptor): return FileDescriptor(owning: descriptor)
        case .path(let path):
            let listener = try UnixSocket.listen(at: path, backlog: 1)
            return try UnixSocket.accept(listener.borrowed)
        }
    }

    /// Writes a line to the log, in one write(2).
    private static func say(_ line: String, on log: BorrowedDescriptor) {
        try? log.writeAll(Array("fc-fsd: \(line)\n".utf8))
    }
}
