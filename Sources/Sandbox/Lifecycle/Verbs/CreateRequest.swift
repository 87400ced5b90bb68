// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// What `create` and `run` are asked.
public struct CreateRequest: Hashable, Sendable {
    /// The container's id.
    public var id: String
    /// The bundle's directory.
    public var bundle: String
    /// Where the root file system is; nil: in the bundle, as the document says.
    public var rootDisk: RootDisk?
    /// The host process that stands for the container's is written here, in decimal.
    public var pidFile: String?
    /// A unix socket to which the terminal's host side is sent.
    public var consoleSocket: String?
    /// Descriptors the caller wants handed to the container; a virtual machine can take none.
    public var preservedDescriptorCount = 0
    /// What the first process's standard streams are.
    public var io = ProcessIO.inherited
    /// The terminal's first size; nil: the document's.
    public var terminalSize: TerminalSize?
    /// Once the process has ended: how many milliseconds unread output is kept; nil: without limit.
    public var stallMilliseconds: Int32?

    /// A container `id` of the bundle at the path `bundle`.
    public init(id: String, bundle: String) {
        self.id = id
        self.bundle = bundle
    }
}

/// What `run` is asked besides.
public struct RunRequest: Hashable, Sendable {
    /// What is created.
    public var create: CreateRequest
    /// Whether the call returns when the process has started (`--detach`).
    public var detaches = false
    /// Leaves the container's state behind when it has ended.
    public var keeps = false

    /// Creates and starts what `create` asks for.
    public init(create: CreateRequest) {
        self.create = create
    }
}
