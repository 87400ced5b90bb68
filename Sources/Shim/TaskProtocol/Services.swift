/// The services that go over ttrpc, by the names requests carry.
public enum ServiceName {
    /// containerd 1.6 to 2.x. Its messages are those of v3.
    public static let task2 = "containerd.task.v2.Task"
    public static let task3 = "containerd.task.v3.Task"
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
    public static let forward = "Forward"
}

/// What stands in ``AnyMessage/typeURL``.
public enum TypeName {
    public static let runcOptions = "containerd.runc.v1.Options"
    public static let checkpointOptions = "containerd.runc.v1.CheckpointOptions"
    public static let processDetails = "containerd.runc.v1.ProcessDetails"
    public static let criRuntimeOptions = "runtimeoptions.v1.Options"
    /// JSON: an OCI `process`, and its `linux.resources`.
    public static let process = "types.containerd.io/opencontainers/runtime-spec/1/Process"
    public static let linuxResources = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"
    public static let cgroupV1Metrics = "io.containerd.cgroups.v1.Metrics"
    public static let cgroupV2Metrics = "io.containerd.cgroups.v2.Metrics"

    public static let taskCreate = "containerd.events.TaskCreate"
    public static let taskStart = "containerd.events.TaskStart"
    public static let taskExit = "containerd.events.TaskExit"
    public static let taskDelete = "containerd.events.TaskDelete"
    public static let taskExecAdded = "containerd.events.TaskExecAdded"
    public static let taskExecStarted = "containerd.events.TaskExecStarted"
    /// These three are ``TaskNotice``.
    public static let taskOOM = "containerd.events.TaskOOM"
    public static let taskPaused = "containerd.events.TaskPaused"
    public static let taskResumed = "containerd.events.TaskResumed"
}

/// What stands in ``EventEnvelope/topic``.
public enum EventTopic {
    public static let taskCreate = "/tasks/create"
    public static let taskStart = "/tasks/start"
    public static let taskExit = "/tasks/exit"
    public static let taskDelete = "/tasks/delete"
    public static let taskExecAdded = "/tasks/exec-added"
    public static let taskExecStarted = "/tasks/exec-started"
    public static let taskOOM = "/tasks/oom"
    public static let taskPaused = "/tasks/paused"
    public static let taskResumed = "/tasks/resumed"
}

/// What stands in ``SandboxStatusResponse/state``.
public enum SandboxState {
    public static let ready = "SANDBOX_READY"
    public static let notReady = "SANDBOX_NOTREADY"
}
