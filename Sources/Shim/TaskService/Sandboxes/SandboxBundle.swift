// SPDX-License-Identifier: Apache-2.0
import Linux
import OCISpec

/// The bundle of a sandbox made by containerd's Sandbox service, which may hold no document: a sandbox need not have a
/// program of its own.
enum SandboxBundle {
    static let programName = "pause"

    /// What stands in the way of a sandbox.
    enum Problem: Error, CustomStringConvertible {
        case rootWithoutDocument
        case write(path: String, Errno)

        var description: String {
            switch self {
            case .rootWithoutDocument: "a sandbox with a root file system needs a config.json: it says what runs"
            case .write(let path, let errno): "write \(path): \(errno)"
            }
        }
    }

    /// Writes a document and a root file system into the directory `bundle` where there is no document.
    static func complete(_ task: TaskDescription, _ sandbox: SandboxDescription) throws(Problem) {
        let bundle = task.bundle
        let path = bundle + "/config.json"
        if (try? FileDescriptor.open(path, [.nonBlocking])) != nil { return }
        guard task.rootfs.isEmpty else { throw .rootWithoutDocument }
        for directory in ["rootfs", "rootfs/proc", "rootfs/dev"] {
            do throws(Errno) {
                try Directory.make("\(bundle)/\(directory)", mode: 0o755)
            } catch {
                guard error == .exists else { throw .write(path: "\(bundle)/\(directory)", error) }
            }
        }
        try write(PauseProgram.image, to: "\(bundle)/rootfs/\(programName)", mode: 0o755)
        try write(document(task.id, sandbox).encoded(), to: path, mode: 0o600)
    }

    static func document(_ id: String, _ sandbox: SandboxDescription) -> Spec {
        var spec = Spec()
        spec.ociVersion = Spec.newestVersion
        spec.root = Spec.Root(path: "rootfs", readonly: true)
        spec.hostname = ""
        var process = Spec.Process()
        process.args = ["/" + programName]
        process.cwd = "/"
        process.noNewPrivileges = true
        spec.process = process
        spec.mounts = [
            Spec.Mount(destination: "/proc", type: "proc", source: "proc"),
            Spec.Mount(
                destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755"]),
        ]
        var linux = Spec.Linux()
        linux.namespaces = [.pid, .ipc, .uts, .mount].map { Spec.Linux.Namespace(type: $0) }
        var network = Spec.Linux.Namespace(type: .network)
        network.path = sandbox.networkNamespace
        linux.namespaces.append(network)
        spec.linux = linux
        spec.annotations = sandbox.annotations
        spec.annotations["io.kubernetes.cri.container-type"] = "sandbox"
        spec.annotations["io.kubernetes.cri.sandbox-id"] = id
        return spec
    }

    private static func write(_ bytes: [UInt8], to path: String, mode: UInt32) throws(Problem) {
        do throws(Errno) {
            let file = try FileDescriptor.open(path, [.writeOnly, .create, .exclusive, .noFollow], mode: mode)
            try file.writeAll(bytes)
        } catch {
            guard error == .exists else { throw .write(path: path, error) }
        }
    }
}

/// What a sandbox of the Sandbox service is made with, beside what any container is.
struct SandboxDescription: Hashable {
    /// A path; empty for an empty namespace.
    var networkNamespace = ""
    var annotations: [String: String] = [:]
}
