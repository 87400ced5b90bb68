public import SandboxPlan

/// The protocol of agent.proto.
public enum AgentProtocol {
    /// Both sides must have the same: they are installed together.
    public static let version: UInt32 = 1
}

/// What the host asks of the agent.
public enum Request: Hashable, Sendable {
    case hello(version: UInt32)
    case configure(GuestConfiguration)
    /// Answered by `started`. An owned container is killed when the connection closes.
    case create(ContainerPlan, streams: StreamTokens, isOwned: Bool)
    case start(container: String)
    /// Answered by `started`. `name.exec` must not be nil. With `ignoresPause` a paused container takes it too: the
    /// process begins, and the answer comes, when that is resumed.
    case exec(
        ProcessName, process: ProcessPlan, streams: StreamTokens, isOwned: Bool, ignoresPause: Bool = false)
    /// `toAll`: every process of the container.
    case signal(ProcessName, number: Int32, toAll: Bool)
    /// Answered by `exited`, once the process has ended and its output has been handed over; with `isEarly`, whatever
    /// of its output is still on the way.
    case wait(ProcessName, isEarly: Bool = false)
    case resize(ProcessName, size: TerminalSize)
    case closeStdin(ProcessName)
    case update(container: String, resources: ResourcePlan)
    case pause(container: String)
    case resume(container: String)
    /// Answered by `statistics`.
    case stats(container: String)
    /// Answered by `processes`.
    case processes(container: String)
    /// `force` kills what still runs.
    case delete(container: String, force: Bool)
    /// `name` is no longer at the top of the shared tree.
    case forgetShare(name: String)
    case shutdown
}

/// A process in the guest: a container's first, or one that exec started in it.
public struct ProcessName: Hashable, Sendable {
    public var container: String
    /// nil: the container's first process.
    public var exec: String?

    public init(container: String, exec: String? = nil) {
        self.container = container
        self.exec = exec
    }
}

/// What the whole guest needs, once, before the first container.
public struct GuestConfiguration: Hashable, Sendable {
    public var hostname: String
    /// The host's clock, nanoseconds since 1970.
    public var timeNanoseconds: Int64
    /// Bytes for the kernel's entropy pool, at most 4096.
    public var entropy: [UInt8]

    public init(hostname: String, timeNanoseconds: Int64, entropy: [UInt8] = []) {
        self.hostname = hostname
        self.timeNanoseconds = timeNanoseconds
        self.entropy = entropy
    }
}

/// Names a stream connection: 16 bytes nobody else would guess.
public struct StreamToken: Hashable, Sendable {
    public static let byteCount = 16
    public let bytes: [UInt8]

    /// nil where `bytes` are not 16.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// A token of 16 random bytes.
    public static func random() -> StreamToken {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        for _ in 0..<byteCount { bytes.append(UInt8.random(in: .min ... .max, using: &generator)) }
        return StreamToken(unchecked: bytes)
    }

    private init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
    }
}

/// The streams a process takes; nil is /dev/null. One connection may be both input and output.
public struct StreamTokens: Hashable, Sendable {
    public var input: StreamToken?
    public var output: StreamToken?
    /// Not with a terminal.
    public var error: StreamToken?

    public init(input: StreamToken? = nil, output: StreamToken? = nil, error: StreamToken? = nil) {
        self.input = input
        self.output = output
        self.error = error
    }
}
