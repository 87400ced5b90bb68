import FileSystem
import Linux
import VhostUser

/// fc-fsd: one directory tree, served to one microVM over vhost-user.
enum FileSystemProgram {
    /// Serves until the front-end hangs up; the exit code is then 0, and 1 for anything that went wrong.
    static func run(_ commandLine: [String]) -> Never {
        let options: Options
        do {
            options = try Options(arguments: Array(commandLine.dropFirst()))
        } catch {
            say("\(error); \(Options.usage)", on: 2)
            Process.exitNow(1)
        }
        let log = options.logDescriptor
        do {
            try serve(options)
        } catch {
            say("\(error)", on: log)
            Process.exitNow(1)
        }
        Process.exitNow(0)
    }

    private static func serve(_ options: Options) throws {
        let log = options.logDescriptor
        let limit = try DescriptorLimit.raise()
        let device = try FileSystemDevice(
            root: try open(options.tree), tag: options.tag, isReadOnly: options.isReadOnly, cache: options.cache,
            workerCount: options.workerCount, descriptorLimit: limit
        ) { line in say(line, on: log) }
        let backend = try Backend(
            device: device, connection: try connect(options.connection), offersConfiguration: false)
        try backend.serve()
    }

    private static func open(_ tree: Options.Tree) throws(FileSystemError) -> FileDescriptor {
        switch tree {
        case .inherited(let descriptor): return FileDescriptor(owning: descriptor)
        case .path(let path):
            do {
                return try FileDescriptor.open(path, [.path, .directory])
            } catch {
                throw .tree(operation: "open \(path)", error)
            }
        }
    }

    private static func connect(_ connection: Options.Connection) throws(FileSystemError) -> FileDescriptor {
        switch connection {
        case .inherited(let descriptor): return FileDescriptor(owning: descriptor)
        case .listening(let path):
            do {
                let listener = try UnixSocket.listen(at: path, backlog: 1)
                return try UnixSocket.accept(listener.rawValue)
            } catch {
                throw .argument("--socket-path", problem: "\(path): \(error)")
            }
        }
    }

    /// One line, in one write, for whoever reads the log.
    private static func say(_ line: String, on descriptor: Int32) {
        // Borrowed: the descriptor stays open for the next line.
        let file = FileDescriptor(owning: descriptor)
        try? file.writeAll(Array("fc-fsd: \(line)\n".utf8))
        _ = file.release()
    }
}
