import CLinux
import Engine
import Jailer
import Linux
import RuntimeState
import SandboxPlan

/// The shared tree of a sandbox that runs, as its fc-fsd sees it: what joins the sandbox is mounted there, and taken
/// out again when it leaves.
///
/// fc-fsd opens nothing by name and takes no orders. A child of this process enters its mount namespace, where its root
/// is the jail's, attaches mounts made here, and ends.
struct FileServerShares: ~Copyable {
    /// fc-fsd, by pidfd.
    private let server: FileDescriptor

    /// - Throws: `sandboxGone` where the sandbox of `record` has ended.
    init(of record: ContainerRecord, _ files: SandboxFiles) throws(RuntimeError) {
        for case .process(name: "fc-fsd", let pid) in JailStatus.all(in: files.jailLog) {
            guard let descriptor = record.supervisor?.openChild(pid) else { continue }
            server = descriptor
            return
        }
        throw .sandboxGone(record.sandboxID)
    }

    /// Attaches each share of `tree` at its path, the places made for it.
    func attach(_ tree: borrowing SharedTree) throws(RuntimeError) {
        let shares = tree.shares
        for share in shares {
            // Served, never run, as in a jail from its start.
            try wrapping({ .share(path: share.path, $0) }) { () throws(Errno) in
                try Mount.setAttributes(
                    at: share.mount, set: [.noSetUID, .noDevices, .noExecute], recursive: true)
            }
        }
        try inside("attach") { () throws(Errno) in
            let tree = try SharedDirectory()
            for share in shares {
                try tree.makePlace(share.path, isFile: share.isFile)
                let place = try tree.open(share.path)
                try Mount.attach(share.mount, on: place.rawValue)
            }
        }
    }

    /// Takes everything below `name` out of the tree; nothing where it is not there.
    func detach(_ name: String) throws(RuntimeError) {
        try inside("detach") { () throws(Errno) in try SharedDirectory().remove(name, depth: 0) }
    }

    /// Runs `body` in fc-fsd's mount namespace, in a child of this process.
    private func inside(_ operation: String, _ body: () throws(Errno) -> Void) throws(RuntimeError) {
        func failure(_ errno: Errno) -> RuntimeError { .shares(operation: operation, errno) }
        let report = try wrapping(failure) { () throws(Errno) in try FileDescriptor.pipe() }
        let fork = try wrapping(failure) { () throws(Errno) in try Process.fork() }
        switch fork {
        case .child:
            var answer: Int32 = 0
            do throws(Errno) {
                try Process.enter(server.rawValue, .mount)
                try body()
            } catch {
                answer = error.rawValue
            }
            try? report.writer.writeAll([UInt8(truncatingIfNeeded: answer)])
            Process.exitNow(0)
        case .parent(let pid):
            let reader = Self.reader(of: report)
            let answer = try? reader.read(upTo: 1).first
            _ = try? Process.wait(for: pid)
            guard let answer else { throw failure(.noChild) }
            if answer != 0 { throw failure(Errno(rawValue: Int32(answer))) }
        }
    }

    private static func reader(of pipe: consuming Pipe) -> FileDescriptor { pipe.reader }
}

/// The tree's top from within. It is read-only for fc-fsd; places are made through a second mount of the same file
/// system, which is attached nowhere.
private struct SharedDirectory: ~Copyable {
    private let tree: FileDescriptor
    private let writable: FileDescriptor
    /// Places are `<name>/rootfs` and `<name>/mounts/<n>`.
    private static let depthLimit = 4

    init() throws(Errno) {
        let tree = try FileDescriptor.open(FileServerProcess.directory, [.path, .directory, .noFollow])
        let copy = try Mount.copy("", at: tree.rawValue, recursive: false)
        try Mount.setAttributes(at: copy.rawValue, clear: .readOnly)
        self.tree = tree
        writable = copy
    }

    func open(_ path: String) throws(Errno) -> FileDescriptor {
        try FileDescriptor.open(path, at: tree.rawValue, .path, resolve: [.beneath, .noSymlinks])
    }

    func makePlace(_ path: String, isFile: Bool) throws(Errno) {
        let names = path.pathNames
        var made = ""
        for (index, name) in names.enumerated() {
            made += (index == 0 ? "" : "/") + name
            let isLast = index == names.count - 1
            if isLast, isFile {
                _ = try FileDescriptor.open(
                    made, at: writable.rawValue, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o444)
                continue
            }
            do {
                try Directory.make(made, at: writable.rawValue)
            } catch  where error == .exists && !isLast {}
        }
    }

    /// Unmounts what is mounted at places below `path`, and removes those.
    func remove(_ path: String, depth: Int) throws(Errno) {
        guard depth < Self.depthLimit else { throw .tooManyLinks }
        let entries: [Directory.Entry]
        do {
            // Through the mount that nothing is attached to: places, and never what is mounted there.
            let below = try FileDescriptor.open(
                path, at: writable.rawValue, [.directory, .noFollow], resolve: [.beneath, .noSymlinks])
            entries = try Directory.entries(of: below.rawValue)
        } catch  where error == .noSuchFile {
            return
        }
        for entry in entries {
            let place = "\(path)/\(entry.name)"
            do {
                try Mount.detach("\(FileServerProcess.directory)/\(place)")
            } catch  where error == .invalidArgument {
                // No mount there: a directory of places.
            }
            if entry.isDirectory {
                try remove(place, depth: depth + 1)
            } else {
                try Directory.remove(place, at: writable.rawValue, isDirectory: false)
            }
        }
        try Directory.remove(path, at: writable.rawValue, isDirectory: true)
    }
}
