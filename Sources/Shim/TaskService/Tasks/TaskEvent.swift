// SPDX-License-Identifier: Apache-2.0
import TaskProtocol

/// What is published to containerd.
enum TaskEvent: Hashable {
    case created(TaskDescription, pid: Int32)
    case started(id: String, pid: Int32)
    /// `exec` is empty for a container's first process.
    case exited(id: String, exec: String, pid: Int32, Exit)
    case deleted(id: String, pid: Int32, Exit)
    case execAdded(id: String, exec: String)
    case execStarted(id: String, exec: String, pid: Int32)
    case paused(id: String)
    case resumed(id: String)
    case ranOutOfMemory(id: String)
}

/// What a container was made with.
struct TaskDescription: Hashable {
    var id: String
    /// Absolute.
    var bundle: String
    var rootfs: [RootfsMount] = []
    var io = StandardIO()
    /// Where it is a sandbox of the Sandbox service: containerd has no task for it, and is sent no events.
    var sandbox: SandboxDescription?
}

/// Where a process's standard streams are, as containerd names them: a fifo's path, a URI, or empty for none.
struct StandardIO: Hashable {
    var stdin = ""
    var stdout = ""
    var stderr = ""
    var terminal = false
}

extension TaskEvent {
    /// The container it is about.
    var id: String {
        switch self {
        case .created(let description, _): description.id
        case .started(let id, _), .exited(let id, _, _, _), .deleted(let id, _, _), .execAdded(let id, _),
            .execStarted(let id, _, _), .paused(let id), .resumed(let id), .ranOutOfMemory(let id):
            id
        }
    }
}
