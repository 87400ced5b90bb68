public import SandboxPlan

/// What `create` and `run` are asked.
public struct CreateRequest: Hashable, Sendable {
    public var id: String
    public var bundle: String
    /// Where the root file system is; nil: in the bundle, as the document says.
    public var rootDisk: RootDisk?
    /// The host process that stands for the container's is written here, in decimal.
    public var pidFile: String?
    /// A unix socket to which the terminal's host side is sent.
    public var consoleSocket: String?
    /// Descriptors the caller wants handed to the container; a virtual machine can take none.
    public var preservedDescriptorCount = 0
    public var io = ProcessIO.inherited
    /// The terminal's first size; nil: the document's.
    public var terminalSize: TerminalSize?
    /// Once the process has ended: how many milliseconds output that nobody takes is kept; nil: for as long as it lasts.
    public var stallMilliseconds: Int32?

    public init(id: String, bundle: String) {
        self.id = id
        self.bundle = bundle
    }
}

/// What `run` is asked besides.
public struct RunRequest: Hashable, Sendable {
    public var create: CreateRequest
    public var detaches = false
    /// Leaves the container's state behind when it has ended.
    public var keeps = false

    public init(create: CreateRequest) {
        self.create = create
    }
}
