public import OCISpec

/// What `exec` is asked.
public struct ExecRequest: Sendable {
    /// Where the new process comes from.
    public enum Source: Sendable {
        /// A file that holds a process object of the runtime-spec.
        case file(String)
        /// The container's own process, changed as the closure says.
        case container(@Sendable (inout Spec.Process) -> Void)
    }

    public var id: String
    public var source: Source
    public var detaches = false
    public var pidFile: String?
    public var consoleSocket: String?
    public var preservedDescriptorCount = 0

    public init(id: String, source: Source) {
        self.id = id
        self.source = source
    }
}
