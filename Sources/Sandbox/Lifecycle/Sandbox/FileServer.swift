// SPDX-License-Identifier: Apache-2.0
import CLinux
import Engine
import Jailer
import Linux
import RuntimeState
import SandboxPlan

/// The shared tree of a machine, as its fc-fsd sees it: what a container that joins is shown of the host is mounted
/// there, and taken out again when it leaves.
///
/// fc-fsd opens nothing by name and takes no orders. A child of this process enters its mount namespace, where its root
/// is the jail's, attaches mounts made here, and ends.
struct FileServer: ~Copyable {
    /// fc-fsd, by pidfd.
    private let server: FileDescriptor

    /// - Parameters:
    ///   - supervisor: PID 1 of the machine's jail.
    ///   - id: the container that the machine was made for.
    /// - Throws: `sandboxGone` where the machine has ended.
    init(_ files: MachineFiles, supervisor: ProcessIdentity?, of id: String) throws(RuntimeError) {
        for case .process(name: "fc-fsd", let pid) in files.jailStatus {
            guard let descriptor = supervisor?.openChild(pid) else { continue }
            server = descriptor
            return
        }
        throw .sandboxGone(id)
    }

    /// Attaches each share of `tree` at its path, the places made for it.
    func attach(_ tree: borrowing SharedTree) throws(RuntimeError) {
        let shares = tree.shares
        for share in shares {
            // Served, never run, as in a jail from its start.
            try wrapping(
                { .share(path: share.path, $0) },
                Mount.setAttributes(at: share.mount, set: [.noSetUID, .noDevices, .noExecute], recursive: true))
        }
        try inside("attach") { () throws(Errno) in
            let tree = try SharedDirectory()
            for share in shares {
                try tree.makePlace(share.path, isFile: share.isFile)
                let place = try tree.open(share.path)
                try Mount.attach(share.mount, on: place.borrowed)
            }
        }
    }

    /// How often, and how far apart, a share with a file open for writing is tried again: a guest closes files when it finds
    /// the time.
    private static let sealingAttempts = 100
    private static let sealingPauseMilliseconds: Int64 = 10

    /// Makes the share at `path` read-only, on the host and so for whatever the guest thinks.
    func seal(_ path: String) throws(RuntimeError) {
        try inside("seal") { () throws(Errno) in
            let place = try SharedDirectory().open(path)
            var attempts = Self.sealingAttempts
            while true {
                do throws(Errno) {
                    return try Mount.setAttributes(at: place.borrowed, set: .readOnly)
                } catch {
                    attempts -= 1
                    guard error == .busy, attempts > 0 else { throw error }
                    SystemTime.sleep(milliseconds: Self.sealingPauseMilliseconds)
                }
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
        let report = try wrapping(failure, FileDescriptor.pipe())
        let fork = try wrapping(failure, Process.fork())
        switch fork {
        case .child:
            var answer: Int32 = 0
            do throws(Errno) {
                try Process.enter(server.borrowed, .mount)
                try body()
            } catch {
                answer = error.rawValue
            }
            try? report.writer.writeAll([UInt8(truncatingIfNeeded: answer)])
            Process.exitNow(0)
        case .parent(let pid):
            let reader = report.takeReader()
            let answer = try? reader.read(upTo: 1).first
            _ = try? Process.wait(for: pid)
            guard let answer else { throw failure(.noChild) }
            if answer != 0 { throw failure(Errno(rawValue: Int32(answer))) }
        }
    }

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
        let copy = try Mount.copy("", at: tree.borrowed, recursive: false)
        try Mount.setAttributes(at: copy.borrowed, clear: .readOnly)
        self.tree = tree
        writable = copy
    }

    func open(_ path: String) throws(Errno) -> FileDescriptor {
        try FileDescriptor.open(path, at: tree.borrowed, .path, resolve: [.beneath, .noSymlinks])
    }

    func makePlace(_ path: String, isFile: Bool) throws(Errno) {
        let names = path.pathNames
        var made = ""
        for (index, name) in names.enumerated() {
            made += (index == 0 ? "" : "/") + name
            let isLast = index == names.count - 1
            if isLast, isFile {
                _ = try FileDescriptor.open(
                    made, at: writable.borrowed, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o444)
                continue
            }
            do {
                try Directory.make(made, at: writable.borrowed)
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
                path, at: writable.borrowed, [.directory, .noFollow], resolve: [.beneath, .noSymlinks])
            entries = try Directory.entries(of: below.borrowed)
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
                try Directory.remove(place, at: writable.borrowed, isDirectory: false)
            }
        }
        try Directory.remove(path, at: writable.borrowed, isDirectory: true)
    }
}
