// SPDX-License-Identifier: Apache-2.0
import Linux
import OCISpec
import SandboxPlan

/// A namespace that a document names by its path.
struct NamedNamespace {
    struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    let index: Int
    let path: String
    let kind: NamespaceKind

    /// nil for one without a path, and for kinds that are refused elsewhere.
    init?(_ index: Int, _ namespace: Spec.Linux.Namespace) {
        guard !namespace.path.isEmpty else { return nil }
        switch namespace.type {
        case .ipc: kind = .ipc
        case .uts: kind = .uts
        case .pid: kind = .pid
        case .network: kind = .network
        default: return nil
        }
        self.index = index
        path = namespace.path
    }

    /// The name in /proc/PID/ns.
    private var fileName: String {
        switch kind {
        case .network: "net"
        case .mount: "mnt"
        case .pid: "pid"
        case .ipc: "ipc"
        case .uts: "uts"
        case .cgroup: "cgroup"
        }
    }

    /// The number in `/proc/PID/ns/NAME`.
    var pid: Int32? {
        let names = path.pathNames
        guard names.count == 4, names[0] == "proc", names[2] == "ns", names[3] == fileName else { return nil }
        return Int32(names[1])
    }

    func identity() throws(RuntimeError) -> Identity {
        let status = try wrapping({ failure(.isUnreachable($0)) }) { () throws(Errno) in
            let file = try FileDescriptor.open(path, .path)
            return try FileNode.status(of: file.borrowed)
        }
        return Identity(device: status.device, inode: status.inode)
    }

    func identity(of process: String) -> Identity? { Self.identity(at: "/proc/\(process)/ns/\(fileName)") }

    static func identity(at path: String) -> Identity? {
        guard let file = try? FileDescriptor.open(path, .path), let status = try? FileNode.status(of: file.borrowed)
        else { return nil }
        return Identity(device: status.device, inode: status.inode)
    }

    func failure(_ problem: NamespaceProblem) -> RuntimeError {
        .namespace(field: "linux.namespaces[\(index)].path", path: path, problem: problem)
    }
}
