// SPDX-License-Identifier: Apache-2.0
/// The services that go over ttrpc, by the names requests carry.
public enum ServiceName {
    /// containerd 1.6 to 2.x. Its messages are those of v3.
    public static let task2 = "containerd.task.v2.Task"
    /// containerd 2: the same messages.
    public static let task3 = "containerd.task.v3.Task"
    /// containerd 2: a sandbox of its own.
    public static let sandbox = "containerd.runtime.sandbox.v1.Sandbox"
    /// Served by containerd.
    public static let events = "containerd.services.events.ttrpc.v1.Events"
}

/// The methods of the Task service that have one answer.
public enum TaskMethod: String, Sendable, CaseIterable {
    case state = "State"
    case create = "Create"
    case start = "Start"
    case delete = "Delete"
    case pids = "Pids"
    case pause = "Pause"
    case resume = "Resume"
    case checkpoint = "Checkpoint"
    case kill = "Kill"
    case exec = "Exec"
    case resizePty = "ResizePty"
    case closeIO = "CloseIO"
    case update = "Update"
    case wait = "Wait"
    case stats = "Stats"
    case connect = "Connect"
    case shutdown = "Shutdown"
}

/// The methods of the Sandbox service.
public enum SandboxMethod: String, Sendable, CaseIterable {
    case create = "CreateSandbox"
    case start = "StartSandbox"
    case platform = "Platform"
    case stop = "StopSandbox"
    case wait = "WaitSandbox"
    case status = "SandboxStatus"
    case ping = "PingSandbox"
    case shutdown = "ShutdownSandbox"
    case metrics = "SandboxMetrics"
}

/// The methods of containerd's Events service.
public enum EventsMethod {
    /// Hands an event to containerd.
    public static let forward = "Forward"
}

/// What stands in ``AnyMessage/typeURL``.
public enum TypeName {
    /// ``RuncOptions``.
    public static let runcOptions = "containerd.runc.v1.Options"
    /// ``CheckpointOptions``.
    public static let checkpointOptions = "containerd.runc.v1.CheckpointOptions"
    /// ``ProcessDetails``.
    public static let processDetails = "containerd.runc.v1.ProcessDetails"
    /// ``CRIRuntimeOptions``.
    public static let criRuntimeOptions = "runtimeoptions.v1.Options"
    /// JSON: an OCI `process`, and its `linux.resources`.
    public static let process = "types.containerd.io/opencontainers/runtime-spec/1/Process"
    /// JSON: the `linux.resources` of an OCI document.
    public static let linuxResources = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"
    /// ``CgroupV1/Metrics``.
    public static let cgroupV1Metrics = "io.containerd.cgroups.v1.Metrics"
    /// ``CgroupV2/Metrics``.
    public static let cgroupV2Metrics = "io.containerd.cgroups.v2.Metrics"

    /// A task was created.
    public static let taskCreate = "containerd.events.TaskCreate"
    /// A task was started.
    public static let taskStart = "containerd.events.TaskStart"
    /// A process ended.
    public static let taskExit = "containerd.events.TaskExit"
    /// A process was deleted.
    public static let taskDelete = "containerd.events.TaskDelete"
    /// A further process was made.
    public static let taskExecAdded = "containerd.events.TaskExecAdded"
    /// A further process was started.
    public static let taskExecStarted = "containerd.events.TaskExecStarted"
    /// These three are ``TaskNotice``.
    public static let taskOOM = "containerd.events.TaskOOM"
    /// A task was paused.
    public static let taskPaused = "containerd.events.TaskPaused"
    /// A task was resumed.
    public static let taskResumed = "containerd.events.TaskResumed"
}

/// What stands in ``EventEnvelope/topic``.
public enum EventTopic {
    /// A task was created.
    public static let taskCreate = "/tasks/create"
    /// A task was started.
    public static let taskStart = "/tasks/start"
    /// A process ended.
    public static let taskExit = "/tasks/exit"
    /// A process was deleted.
    public static let taskDelete = "/tasks/delete"
    /// A further process was made.
    public static let taskExecAdded = "/tasks/exec-added"
    /// A further process was started.
    public static let taskExecStarted = "/tasks/exec-started"
    /// The kernel killed for want of memory.
    public static let taskOOM = "/tasks/oom"
    /// A task was paused.
    public static let taskPaused = "/tasks/paused"
    /// A task was resumed.
    public static let taskResumed = "/tasks/resumed"
}

/// What stands in ``SandboxStatusResponse/state``.
public enum SandboxState {
    /// It can take containers.
    public static let ready = "SANDBOX_READY"
    /// It has ended, or was not started.
    public static let notReady = "SANDBOX_NOTREADY"
}
