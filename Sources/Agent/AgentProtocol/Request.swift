// SPDX-License-Identifier: Apache-2.0
public import SandboxPlan

/// The protocol of agent.proto.
public enum AgentProtocol {
    /// Both sides must have the same: they are installed together. Frames that an older side wrote otherwise are not
    /// canonical to this one, nor the other way round, so that none is misread.
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
    /// Answered by `exited`, once the process has ended, whatever of its output is still on the way.
    case wait(ProcessName)
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
    /// The whole of the sandbox's network: what an earlier one had and this has not is taken away.
    case network(NetworkPlan)
    /// The host has a resolver in the sandbox's network namespace, which answers at this vsock port of the host's: each connection
    /// there begins with a ``SocketGreeting`` of the token and two zeroes, and is one of DNS over TCP from then on.
    case resolver(port: UInt32, token: StreamToken)
    case shutdown
}

/// A process in the guest: a container's first, or one that exec started in it.
public struct ProcessName: Hashable, Sendable {
    /// The container's id.
    public var container: String
    /// nil: the container's first process.
    public var exec: String?

    /// The first process of `container`, or its exec of the id `exec`.
    public init(container: String, exec: String? = nil) {
        self.container = container
        self.exec = exec
    }
}

/// What the whole guest needs, once, before the first container.
public struct GuestConfiguration: Hashable, Sendable {
    /// The guest's own host name.
    public var hostname: String
    /// The host's clock, nanoseconds since 1970.
    public var timeNanoseconds: Int64
    /// Bytes for the kernel's entropy pool, at most 4096.
    public var entropy: [UInt8]
    /// Of the whole kernel, by their paths below /proc/sys; one that the guest's kernel lacks is left out.
    public var kernelParameters: [KernelParameter] = []
    /// The same, for numbers that are only ever raised.
    public var leastKernelParameters: [KernelParameter] = []

    /// A guest of this name; `timeNanoseconds` counts from 1970, `entropy` has at most 4096 bytes.
    public init(hostname: String, timeNanoseconds: Int64, entropy: [UInt8] = []) {
        self.hostname = hostname
        self.timeNanoseconds = timeNanoseconds
        self.entropy = entropy
    }
}

/// Names a stream connection: 16 bytes that cannot be guessed.
public struct StreamToken: Hashable, Sendable {
    /// How many bytes a token has.
    public static let byteCount = 16
    /// As many as ``byteCount``.
    public let bytes: [UInt8]

    /// nil where `bytes` are not 16.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// What stands in the place of one that is still to be read.
    static let blank = StreamToken(unchecked: [UInt8](repeating: 0, count: byteCount))

    /// A token of 16 random bytes.
    public static func random() -> StreamToken {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        for _ in 0..<byteCount { bytes.append(UInt8.random(in: .min ... .max, using: &generator)) }
        return StreamToken(unchecked: bytes)
    }

    /// As a program's argument.
    public var hexadecimal: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// nil where `text` is not what ``hexadecimal`` says of a token.
    public init?(hexadecimal text: String) {
        let digits = Array(text.utf8)
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[start..<min(start + 2, digits.count)], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16) else { return nil }
            bytes.append(byte)
        }
        self.init(bytes)
        guard hexadecimal == text else { return nil }
    }

    private init(unchecked bytes: [UInt8]) {
        self.bytes = bytes
    }
}

/// The streams a process takes; nil is /dev/null. One connection may be both input and output.
public struct StreamTokens: Hashable, Sendable {
    /// Standard input.
    public var input: StreamToken?
    /// Standard output, and a terminal's.
    public var output: StreamToken?
    /// Not with a terminal.
    public var error: StreamToken?

    /// The streams given; those that are nil are /dev/null.
    public init(input: StreamToken? = nil, output: StreamToken? = nil, error: StreamToken? = nil) {
        self.input = input
        self.output = output
        self.error = error
    }
}
