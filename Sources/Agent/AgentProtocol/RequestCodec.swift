import CAgentProtocol
import SandboxPlan

/// A request with the id its answer repeats, as the bytes of one frame.
public struct RequestMessage: Hashable, Sendable {
    public var id: UInt64
    public var request: Request

    public init(id: UInt64, request: Request) {
        self.id = id
        self.request = request
    }

    /// The frame, its byte count included.
    public func frame() throws(AgentProtocolError) -> [UInt8] {
        let arena = EncodingArena()
        // What the message points to lives in the arena.
        defer { withExtendedLifetime(arena) {} }
        var message = unsafe Fcrunc__Agent__ToAgent()
        unsafe fcrunc__agent__to_agent__init(&message)
        unsafe message.id = id
        try unsafe request.fill(&message, arena)
        return try unsafe Frame.wrap(
            Wire.packed(
                &message, packedSize: fcrunc__agent__to_agent__get_packed_size, pack: fcrunc__agent__to_agent__pack))
    }

    /// - Parameter bytes: one message, without its byte count.
    public init(decoding bytes: [UInt8]) throws(AgentProtocolError) {
        self = try unsafe Wire.unpack(
            bytes, by: fcrunc__agent__to_agent__unpack, packedSize: fcrunc__agent__to_agent__get_packed_size,
            pack: fcrunc__agent__to_agent__pack, free: fcrunc__agent__to_agent__free_unpacked
        ) { (message) throws(AgentProtocolError) in
            RequestMessage(id: unsafe message.pointee.id, request: try unsafe Request(message.pointee))
        }
    }
}

extension Request {
    func fill(_ message: inout Fcrunc__Agent__ToAgent, _ arena: EncodingArena) throws(AgentProtocolError) {
        switch self {
        case .hello(let version):
            var part = unsafe Fcrunc__Agent__Hello()
            unsafe fcrunc__agent__hello__init(&part)
            unsafe part.version = version
            unsafe message.hello = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_HELLO
        case .configure(let configuration):
            var part = unsafe Fcrunc__Agent__Configure()
            unsafe fcrunc__agent__configure__init(&part)
            unsafe part.hostname = try arena.string(configuration.hostname, "configure.hostname")
            unsafe part.time_nanoseconds = configuration.timeNanoseconds
            unsafe part.entropy = arena.bytes(configuration.entropy)
            unsafe message.configure = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_CONFIGURE
        case .create(let plan, let streams, let isOwned):
            var part = unsafe Fcrunc__Agent__Create()
            unsafe fcrunc__agent__create__init(&part)
            unsafe part.container = try plan.encoded(in: arena)
            unsafe part.streams = streams.encoded(in: arena)
            unsafe part.owned = isOwned ? 1 : 0
            unsafe message.create = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_CREATE
        case .start(let container):
            var part = unsafe Fcrunc__Agent__Start()
            unsafe fcrunc__agent__start__init(&part)
            unsafe part.container_id = try arena.string(container, "start.container_id")
            unsafe message.start = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_START
        case .exec(let name, let process, let streams, let isOwned, let ignoresPause):
            var part = unsafe Fcrunc__Agent__Exec()
            unsafe fcrunc__agent__exec__init(&part)
            unsafe part.container_id = try arena.string(name.container, "exec.container_id")
            unsafe part.exec_id = try arena.string(name.exec ?? "", "exec.exec_id")
            unsafe part.process = try process.encoded(in: arena)
            unsafe part.streams = streams.encoded(in: arena)
            unsafe part.owned = isOwned ? 1 : 0
            unsafe part.ignores_pause = ignoresPause ? 1 : 0
            unsafe message.exec = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_EXEC
        case .signal(let name, let number, let toAll):
            var part = unsafe Fcrunc__Agent__Signal()
            unsafe fcrunc__agent__signal__init(&part)
            unsafe part.container_id = try arena.string(name.container, "signal.container_id")
            unsafe part.exec_id = try arena.string(name.exec ?? "", "signal.exec_id")
            unsafe part.signal = number
            unsafe part.all = toAll ? 1 : 0
            unsafe message.signal = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_SIGNAL
        case .wait(let name, let isEarly):
            var part = unsafe Fcrunc__Agent__Wait()
            unsafe fcrunc__agent__wait__init(&part)
            unsafe part.container_id = try arena.string(name.container, "wait.container_id")
            unsafe part.exec_id = try arena.string(name.exec ?? "", "wait.exec_id")
            unsafe part.early = isEarly ? 1 : 0
            unsafe message.wait = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_WAIT
        case .resize(let name, let size):
            var part = unsafe Fcrunc__Agent__Resize()
            unsafe fcrunc__agent__resize__init(&part)
            unsafe part.container_id = try arena.string(name.container, "resize.container_id")
            unsafe part.exec_id = try arena.string(name.exec ?? "", "resize.exec_id")
            unsafe part.rows = UInt32(size.rows)
            unsafe part.columns = UInt32(size.columns)
            unsafe message.resize = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_RESIZE
        case .closeStdin(let name):
            var part = unsafe Fcrunc__Agent__CloseStdin()
            unsafe fcrunc__agent__close_stdin__init(&part)
            unsafe part.container_id = try arena.string(name.container, "close_stdin.container_id")
            unsafe part.exec_id = try arena.string(name.exec ?? "", "close_stdin.exec_id")
            unsafe message.close_stdin = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_CLOSE_STDIN
        default:
            try unsafe fillContainerRequest(&message, arena)
        }
    }

    /// The requests that name a container and little else.
    private func fillContainerRequest(
        _ message: inout Fcrunc__Agent__ToAgent, _ arena: EncodingArena
    ) throws(AgentProtocolError) {
        switch self {
        case .update(let container, let resources):
            var part = unsafe Fcrunc__Agent__Update()
            unsafe fcrunc__agent__update__init(&part)
            unsafe part.container_id = try arena.string(container, "update.container_id")
            unsafe part.resources = try resources.encoded(in: arena)
            unsafe message.update = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_UPDATE
        case .pause(let container):
            var part = unsafe Fcrunc__Agent__Pause()
            unsafe fcrunc__agent__pause__init(&part)
            unsafe part.container_id = try arena.string(container, "pause.container_id")
            unsafe message.pause = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_PAUSE
        case .resume(let container):
            var part = unsafe Fcrunc__Agent__Resume()
            unsafe fcrunc__agent__resume__init(&part)
            unsafe part.container_id = try arena.string(container, "resume.container_id")
            unsafe message.resume = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_RESUME
        case .stats(let container):
            var part = unsafe Fcrunc__Agent__Stats()
            unsafe fcrunc__agent__stats__init(&part)
            unsafe part.container_id = try arena.string(container, "stats.container_id")
            unsafe message.stats = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_STATS
        case .processes(let container):
            var part = unsafe Fcrunc__Agent__Processes()
            unsafe fcrunc__agent__processes__init(&part)
            unsafe part.container_id = try arena.string(container, "processes.container_id")
            unsafe message.processes = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_PROCESSES
        case .delete(let container, let force):
            var part = unsafe Fcrunc__Agent__Delete()
            unsafe fcrunc__agent__delete__init(&part)
            unsafe part.container_id = try arena.string(container, "delete.container_id")
            unsafe part.force = force ? 1 : 0
            unsafe message.delete_ = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_DELETE
        case .forgetShare(let name):
            var part = unsafe Fcrunc__Agent__ForgetShare()
            unsafe fcrunc__agent__forget_share__init(&part)
            unsafe part.name = try arena.string(name, "forget_share.name")
            unsafe message.forget_share = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_FORGET_SHARE
        default:
            var part = unsafe Fcrunc__Agent__Shutdown()
            unsafe fcrunc__agent__shutdown__init(&part)
            unsafe message.shutdown = arena.place(part)
            unsafe message.request_case = FCRUNC__AGENT__TO_AGENT__REQUEST_SHUTDOWN
        }
    }

    init(_ message: Fcrunc__Agent__ToAgent) throws(AgentProtocolError) {
        switch unsafe message.request_case {
        case FCRUNC__AGENT__TO_AGENT__REQUEST_HELLO:
            self = unsafe .hello(version: message.hello.pointee.version)
        case FCRUNC__AGENT__TO_AGENT__REQUEST_CONFIGURE:
            let part = unsafe message.configure.pointee
            let entropy = unsafe Wire.bytes(part.entropy)
            guard entropy.count <= 4096 else {
                throw .wrongByteCount(field: "configure.entropy", byteCount: entropy.count)
            }
            self = .configure(
                GuestConfiguration(
                    hostname: try unsafe Wire.string(part.hostname, "configure.hostname"),
                    timeNanoseconds: unsafe part.time_nanoseconds, entropy: entropy))
        case FCRUNC__AGENT__TO_AGENT__REQUEST_CREATE:
            let part = unsafe message.create.pointee
            self = .create(
                try unsafe ContainerPlan(part.container), streams: try unsafe StreamTokens(part.streams),
                isOwned: unsafe part.owned != 0)
        case FCRUNC__AGENT__TO_AGENT__REQUEST_START:
            self = .start(container: try unsafe Wire.id(message.start.pointee.container_id, "start"))
        case FCRUNC__AGENT__TO_AGENT__REQUEST_EXEC:
            let part = unsafe message.exec.pointee
            let name = try unsafe ProcessName(part.container_id, part.exec_id, "exec")
            guard name.exec != nil else { throw .missing(field: "exec.exec_id") }
            self = .exec(
                name, process: try unsafe ProcessPlan(part.process, "exec.process"),
                streams: try unsafe StreamTokens(part.streams), isOwned: unsafe part.owned != 0,
                ignoresPause: unsafe part.ignores_pause != 0)
        case FCRUNC__AGENT__TO_AGENT__REQUEST_SIGNAL:
            let part = unsafe message.signal.pointee
            self = .signal(
                try unsafe ProcessName(part.container_id, part.exec_id, "signal"), number: unsafe part.signal,
                toAll: unsafe part.all != 0)
        case FCRUNC__AGENT__TO_AGENT__REQUEST_WAIT:
            let part = unsafe message.wait.pointee
            self = .wait(
                try unsafe ProcessName(part.container_id, part.exec_id, "wait"), isEarly: unsafe part.early != 0)
        case FCRUNC__AGENT__TO_AGENT__REQUEST_RESIZE:
            let part = unsafe message.resize.pointee
            let size = try unsafe TerminalSize(rows: part.rows, columns: part.columns, "resize")
            self = .resize(
                try unsafe ProcessName(part.container_id, part.exec_id, "resize"),
                size: size ?? TerminalSize(rows: 0, columns: 0))
        case FCRUNC__AGENT__TO_AGENT__REQUEST_CLOSE_STDIN:
            let part = unsafe message.close_stdin.pointee
            self = .closeStdin(try unsafe ProcessName(part.container_id, part.exec_id, "close_stdin"))
        case FCRUNC__AGENT__TO_AGENT__REQUEST_UPDATE:
            let part = unsafe message.update.pointee
            self = .update(
                container: try unsafe Wire.id(part.container_id, "update"),
                resources: try unsafe ResourcePlan(part.resources))
        case FCRUNC__AGENT__TO_AGENT__REQUEST_PAUSE:
            self = .pause(container: try unsafe Wire.id(message.pause.pointee.container_id, "pause"))
        case FCRUNC__AGENT__TO_AGENT__REQUEST_RESUME:
            self = .resume(container: try unsafe Wire.id(message.resume.pointee.container_id, "resume"))
        case FCRUNC__AGENT__TO_AGENT__REQUEST_STATS:
            self = .stats(container: try unsafe Wire.id(message.stats.pointee.container_id, "stats"))
        case FCRUNC__AGENT__TO_AGENT__REQUEST_PROCESSES:
            self = .processes(container: try unsafe Wire.id(message.processes.pointee.container_id, "processes"))
        case FCRUNC__AGENT__TO_AGENT__REQUEST_DELETE:
            let part = unsafe message.delete_.pointee
            self = .delete(
                container: try unsafe Wire.id(part.container_id, "delete"), force: unsafe part.force != 0)
        case FCRUNC__AGENT__TO_AGENT__REQUEST_FORGET_SHARE:
            self = .forgetShare(name: try unsafe Wire.string(message.forget_share.pointee.name, "forget_share.name"))
        case FCRUNC__AGENT__TO_AGENT__REQUEST_SHUTDOWN:
            self = .shutdown
        default:
            throw .unknownKind
        }
    }
}

extension Wire {
    static func id(_ pointer: UnsafeMutablePointer<CChar>?, _ request: String) throws(AgentProtocolError) -> String {
        try unsafe string(pointer, request + ".container_id")
    }
}

extension ProcessName {
    init(
        _ container: UnsafeMutablePointer<CChar>?, _ exec: UnsafeMutablePointer<CChar>?, _ request: String
    ) throws(AgentProtocolError) {
        self.init(
            container: try unsafe Wire.id(container, request),
            exec: try unsafe Wire.optional(exec, request + ".exec_id"))
    }
}

extension StreamTokens {
    func encoded(in arena: EncodingArena) -> UnsafeMutablePointer<Fcrunc__Agent__Streams> {
        var message = unsafe Fcrunc__Agent__Streams()
        unsafe fcrunc__agent__streams__init(&message)
        unsafe message.stdin_token = arena.bytes(input?.bytes ?? [])
        unsafe message.stdout_token = arena.bytes(output?.bytes ?? [])
        unsafe message.stderr_token = arena.bytes(error?.bytes ?? [])
        return unsafe arena.place(message)
    }

    init(_ pointer: UnsafeMutablePointer<Fcrunc__Agent__Streams>?) throws(AgentProtocolError) {
        guard let message = unsafe pointer?.pointee else { throw .missing(field: "streams") }
        self.init(
            input: try StreamToken(wire: unsafe Wire.bytes(message.stdin_token), "streams.stdin_token"),
            output: try StreamToken(wire: unsafe Wire.bytes(message.stdout_token), "streams.stdout_token"),
            error: try StreamToken(wire: unsafe Wire.bytes(message.stderr_token), "streams.stderr_token"))
    }
}

extension StreamToken {
    /// nil where there are no bytes.
    init?(wire bytes: [UInt8], _ field: String) throws(AgentProtocolError) {
        if bytes.isEmpty { return nil }
        guard let token = StreamToken(bytes) else { throw .wrongByteCount(field: field, byteCount: bytes.count) }
        self = token
    }
}
