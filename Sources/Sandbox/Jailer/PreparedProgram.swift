// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import SandboxPlan

/// A program of the plan with everything that it needs of the host already open. Each path is resolved here,
/// once; from now on there are only descriptors, which stay open until the program runs.
struct PreparedProgram {
    let plan: JailedProcess
    /// Open by path only, which is all that execveat(2) needs.
    let executable: BorrowedDescriptor
    let mounts: [PreparedMount]

    init(_ plan: JailedProcess) throws(JailError) {
        self.plan = plan
        for descriptor in plan.descriptors { try descriptor.check(for: plan.name) }
        do {
            executable = try FileDescriptor.open(plan.executable, .path).release()
        } catch {
            throw .openExecutable(path: plan.executable, error)
        }
        var mounts: [PreparedMount] = []
        for mount in plan.mounts { mounts.append(try PreparedMount(mount)) }
        self.mounts = mounts
    }
}

extension InheritedDescriptor {
    /// Refuses what leads out of a jail. A program may inherit files, sockets, pipes and devices; a directory, or
    /// anything that is open with O_PATH, is a way up to the root of the mount that it lies on.
    func check(for program: String) throws(JailError) {
        let file = BorrowedDescriptor(rawValue: source)
        let (status, isPath) = try attempt({ .inspectDescriptor(process: program, number: source, $0) }) {
            () throws(Errno) in
            let flags = try syscall(__NR_fcntl, file.argument, Int(F_GETFL))
            return (try FileNode.status(of: file), flags & CL_O_PATH != 0)
        }
        if status.isDirectory { throw .badDescriptor(process: program, number: source, kind: "a directory") }
        if isPath { throw .badDescriptor(process: program, number: source, kind: "a path (O_PATH)") }
    }
}

/// A mount of the plan, its source open.
struct PreparedMount {
    enum Source {
        /// A detached mount, and the attributes it gets besides read-only.
        case tree(BorrowedDescriptor, isFile: Bool, Mount.Attributes)
        case processes
        case temporary
        /// Detached mounts of device nodes, by name.
        case devices([(name: String, tree: BorrowedDescriptor)])
    }

    /// The nodes every `.devices` directory holds.
    static let basicDevices = ["null", "zero", "urandom"]

    let source: Source
    let destination: String
    let isReadOnly: Bool

    init(_ plan: JailMount) throws(JailError) {
        destination = plan.destination
        isReadOnly = plan.isReadOnly
        switch plan.source {
        case .host(let path):
            let (tree, isFile) = try Self.bind(path)
            source = .tree(tree, isFile: isFile, [.noSetUID, .noDevices])
        case .detached(let descriptor, let isFile):
            // It is served to a guest and never run: what the guest puts there must have no effect on the host.
            source = .tree(
                BorrowedDescriptor(rawValue: descriptor), isFile: isFile, [.noSetUID, .noDevices, .noExecute])
        case .processes:
            source = .processes
        case .temporary:
            source = .temporary
        case .devices(let names):
            var nodes: [(name: String, tree: BorrowedDescriptor)] = []
            for name in Self.basicDevices + names { nodes.append((name, try Self.bind("/dev/\(name)").tree)) }
            source = .devices(nodes)
        }
    }

    /// A detached copy of the mount at `path`, without what is mounted below it.
    static func bind(_ path: String) throws(JailError) -> (tree: BorrowedDescriptor, isFile: Bool) {
        do {
            let tree = try Mount.copy(path, recursive: false)
            try Mount.setAttributes(at: tree.borrowed, propagation: .private)
            let isFile = try !Directory.isDirectory(tree.borrowed)
            return (tree.release(), isFile)
        } catch {
            throw .openMount(path: path, error)
        }
    }
}
