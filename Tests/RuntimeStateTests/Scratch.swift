import Glibc
import Linux

/// A directory of a test's own, removed with all that is in it.
final class Scratch {
    let path: String

    init() {
        var template = Array("/tmp/fc-runc-state.XXXXXX\0".utf8)
        path = unsafe template.withUnsafeMutableBytes { bytes in
            // mkdtemp fills in the name in place; the bytes end with a NUL.
            let name = unsafe bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
            return unsafe mkdtemp(name) == nil ? "" : String(cString: name)
        }
        precondition(!path.isEmpty)
    }

    deinit { Self.remove(path) }

    private static func remove(_ path: String) {
        if let folder = try? FileDescriptor.open(path, [.directory, .noFollow]) {
            for entry in (try? Directory.entries(of: folder.rawValue)) ?? [] {
                let place = "\(path)/\(entry.name)"
                if entry.isDirectory { remove(place) } else { try? Directory.remove(place, isDirectory: false) }
            }
        }
        try? Directory.remove(path, isDirectory: true)
    }

    func write(_ text: String, to name: String) throws {
        try FileDescriptor.open("\(path)/\(name)", [.writeOnly, .create, .truncate], mode: 0o600)
            .writeAll(Array(text.utf8))
    }

    func exists(_ name: String) -> Bool { (try? FileDescriptor.open("\(path)/\(name)", [.path, .noFollow])) != nil }

    /// The permission bits of a file below.
    func mode(_ name: String) -> UInt32 {
        var status = stat()
        return unsafe lstat("\(path)/\(name)", &status) == 0 ? status.st_mode & 0o7777 : 0
    }
}

/// A child that waits until it is killed. It is another program, for a copy of this one would hold on to the
/// locks of tests that run meanwhile.
final class Child {
    let pid: Int32

    init() throws(Errno) {
        var pid: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = unsafe [strdup("sleep"), strdup("600"), nil]
        defer { unsafe free(arguments[0]) }
        // posix_spawn reads the list, which a null pointer ends.
        let result = unsafe posix_spawn(&pid, "/bin/sleep", nil, nil, &arguments, environ)
        guard result == 0 else { throw Errno(rawValue: result) }
        self.pid = pid
    }

    /// Kills it without reaping: a zombie stays.
    func kill() throws { try Process.kill(pid, SIGKILL) }

    func reap() throws { _ = try Process.wait(for: pid) }
}
