public import OCISpec
public import SandboxPlan

/// What `exec` is asked.
public struct ExecRequest: Sendable {
    /// Where the new process comes from.
    public enum Source: Sendable {
        /// A file that holds a process object of the runtime-spec.
        case file(String)
        /// The container's own process, changed as the closure says.
        case container(@Sendable (inout Spec.Process) -> Void)
        /// A process object of the runtime-spec, as JSON.
        case document([UInt8])
    }

    public var id: String
    public var source: Source
    public var detaches = false
    public var pidFile: String?
    public var consoleSocket: String?
    public var preservedDescriptorCount = 0
    public var io = ProcessIO.inherited
    /// The terminal's first size; nil: the document's.
    public var terminalSize: TerminalSize?
    /// Once the process has ended: how many milliseconds output that nobody takes is kept; nil: for as long as it lasts.
    public var stallMilliseconds: Int32?
    /// The process's name, unique in its container while it runs; nil: a random one.
    public var execID: String?
    /// A paused container takes it too; it runs when that is resumed.
    public var ignoresPause = false

    public init(id: String, source: Source) {
        self.id = id
        self.source = source
    }
}
