import CLinux
import Linux
import SandboxPlan

/// A program of the plan with everything of the host's that it needs already open. A path is resolved here,
/// once; from now on there are only descriptors, which stay open until the process they are for is running.
struct OpenedProcess {
    let plan: JailedProcess
    /// Open by path only, which is all that execveat(2) needs.
    let executable: Int32
    let mounts: [OpenedMount]

    init(_ plan: JailedProcess) throws(JailError) {
        self.plan = plan
        do {
            executable = try FileDescriptor.open(plan.executable, .path).release()
        } catch {
            throw .openExecutable(path: plan.executable, error)
        }
        var mounts: [OpenedMount] = []
        for mount in plan.mounts { mounts.append(try OpenedMount(mount)) }
        self.mounts = mounts
    }
}

/// A mount of the plan, its source open.
struct OpenedMount {
    enum Source {
        /// A detached mount, and the attributes it gets besides read-only.
        case tree(Int32, isFile: Bool, Mount.Attributes)
        case processes
        case temporary
        /// Detached mounts of device nodes, by name.
        case devices([(name: String, tree: Int32)])
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
            // Served, never run: what a guest puts there must do nothing on the host.
            source = .tree(descriptor, isFile: isFile, [.noSetUID, .noDevices, .noExecute])
        case .processes:
            source = .processes
        case .temporary:
            source = .temporary
        case .devices(let names):
            var nodes: [(name: String, tree: Int32)] = []
            for name in Self.basicDevices + names { nodes.append((name, try Self.bind("/dev/\(name)").tree)) }
            source = .devices(nodes)
        }
    }

    /// A detached copy of the one mount that `path` lies on, at `path`: what is mounted beneath stays behind.
    static func bind(_ path: String) throws(JailError) -> (tree: Int32, isFile: Bool) {
        do {
            let tree = try Mount.copy(path, recursive: false)
            let isFile = try !Directory.isDirectory(tree.rawValue)
            return (tree.release(), isFile)
        } catch {
            throw .openMount(path: path, error)
        }
    }
}
