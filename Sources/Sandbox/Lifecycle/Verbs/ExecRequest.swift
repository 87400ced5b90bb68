// SPDX-License-Identifier: Apache-2.0
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

    /// The container.
    public var id: String
    /// Where the process comes from.
    public var source: Source
    /// Whether the call returns when the process has started (`--detach`).
    public var detaches = false
    /// Where the process id is written; nil for nowhere.
    public var pidFile: String?
    /// The socket that the terminal is sent to; nil for none.
    public var consoleSocket: String?
    /// How many descriptors beyond the first three the process keeps (`--preserve-fds`).
    public var preservedDescriptorCount = 0
    /// What its standard streams are.
    public var io = ProcessIO.inherited
    /// The terminal's first size; nil: the document's.
    public var terminalSize: TerminalSize?
    /// Once the process has ended: how many milliseconds unread output is kept; nil: without limit.
    public var stallMilliseconds: Int32?
    /// The process's name, unique in its container while it runs; nil: a random one.
    public var execID: String?
    /// A paused container takes it too; it runs when that is resumed.
    public var ignoresPause = false

    /// A process of the container `id`.
    public init(id: String, source: Source) {
        self.id = id
        self.source = source
    }
}
