// SPDX-License-Identifier: Apache-2.0
import Linux
import TaskProtocol

extension EventQueue.Event {
    /// `event` as containerd's Events service takes it, happened now.
    init(_ event: TaskEvent, namespace: String) {
        let (topic, type, message) = event.message
        let time = SystemTime.realtime()
        let request = ForwardRequest.with {
            $0.envelope = .with {
                $0.timestamp = Timestamp(
                    seconds: time.seconds, nanoseconds: Int32(truncatingIfNeeded: time.nanoseconds))
                $0.namespace = namespace
                $0.topic = topic
                $0.event = AnyMessage(type: type, value: message)
            }
        }
        self.init(topic: topic, bytes: request.encoded(), isNotice: event.isNotice)
    }
}

extension TaskEvent {
    /// The client that asked for it knows, or can ask again.
    var isNotice: Bool {
        switch self {
        case .paused, .resumed, .ranOutOfMemory: true
        case .created, .started, .exited, .deleted, .execAdded, .execStarted: false
        }
    }

    var message: (topic: String, type: String, bytes: [UInt8]) {
        switch self {
        case .created(let description, let pid):
            let message = TaskCreate.with {
                $0.containerID = description.id
                $0.bundle = description.bundle
                $0.rootfs = description.rootfs
                $0.io = .with {
                    $0.stdin = description.io.stdin
                    $0.stdout = description.io.stdout
                    $0.stderr = description.io.stderr
                    $0.terminal = description.io.terminal
                }
                $0.pid = UInt32(pid)
            }
            return (EventTopic.taskCreate, TypeName.taskCreate, message.encoded())
        case .started(let id, let pid):
            let message = TaskStart.with {
                $0.containerID = id
                $0.pid = UInt32(pid)
            }
            return (EventTopic.taskStart, TypeName.taskStart, message.encoded())
        case .exited(let id, let exec, let pid, let exit):
            let message = TaskExit.with {
                $0.containerID = id
                // Of a container's first process its container's id.
                $0.id = exec.isEmpty ? id : exec
                $0.pid = UInt32(pid)
                $0.exitStatus = exit.status
                $0.exitedAt = exit.timestamp
            }
            return (EventTopic.taskExit, TypeName.taskExit, message.encoded())
        case .deleted(let id, let pid, let exit):
            let message = TaskDelete.with {
                $0.containerID = id
                $0.pid = UInt32(pid)
                $0.exitStatus = exit.status
                $0.exitedAt = exit.timestamp
            }
            return (EventTopic.taskDelete, TypeName.taskDelete, message.encoded())
        case .execAdded(let id, let exec):
            let message = TaskExecAdded.with {
                $0.containerID = id
                $0.execID = exec
            }
            return (EventTopic.taskExecAdded, TypeName.taskExecAdded, message.encoded())
        case .execStarted(let id, let exec, let pid):
            let message = TaskExecStarted.with {
                $0.containerID = id
                $0.execID = exec
                $0.pid = UInt32(pid)
            }
            return (EventTopic.taskExecStarted, TypeName.taskExecStarted, message.encoded())
        case .paused(let id): return (EventTopic.taskPaused, TypeName.taskPaused, Self.notice(id))
        case .resumed(let id): return (EventTopic.taskResumed, TypeName.taskResumed, Self.notice(id))
        case .ranOutOfMemory(let id): return (EventTopic.taskOOM, TypeName.taskOOM, Self.notice(id))
        }
    }

    private static func notice(_ id: String) -> [UInt8] { TaskNotice.with { $0.containerID = id }.encoded() }
}

extension Exit {
    var timestamp: Timestamp { Timestamp(seconds: seconds, nanoseconds: nanoseconds) }
}
