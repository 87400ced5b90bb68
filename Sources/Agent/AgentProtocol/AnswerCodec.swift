import CAgentProtocol
import SandboxPlan

/// An answer with the id of its request (0: an event), as the bytes of one frame.
public struct AnswerMessage: Hashable, Sendable {
    public var id: UInt64
    public var answer: Answer

    public init(id: UInt64, answer: Answer) {
        self.id = id
        self.answer = answer
    }

    /// The frame, its byte count included.
    public func frame() throws(AgentProtocolError) -> [UInt8] {
        let arena = EncodingArena()
        // What the message points to lives in the arena.
        defer { withExtendedLifetime(arena) {} }
        var message = unsafe Fcrunc__Agent__FromAgent()
        unsafe fcrunc__agent__from_agent__init(&message)
        unsafe message.id = id
        try unsafe answer.fill(&message, arena)
        return try unsafe Frame.wrap(
            Wire.packed(
                &message, packedSize: fcrunc__agent__from_agent__get_packed_size,
                pack: fcrunc__agent__from_agent__pack))
    }

    /// - Parameter bytes: one message, without its byte count.
    public init(decoding bytes: [UInt8]) throws(AgentProtocolError) {
        self = try unsafe Wire.unpack(
            bytes, by: fcrunc__agent__from_agent__unpack, packedSize: fcrunc__agent__from_agent__get_packed_size,
            pack: fcrunc__agent__from_agent__pack, free: fcrunc__agent__from_agent__free_unpacked
        ) { (message) throws(AgentProtocolError) in
            AnswerMessage(id: unsafe message.pointee.id, answer: try unsafe Answer(message.pointee))
        }
    }
}

extension Answer {
    func fill(_ message: inout Fcrunc__Agent__FromAgent, _ arena: EncodingArena) throws(AgentProtocolError) {
        switch self {
        case .done:
            var part = unsafe Fcrunc__Agent__Done()
            unsafe fcrunc__agent__done__init(&part)
            unsafe message.done = arena.place(part)
            unsafe message.answer_case = FCRUNC__AGENT__FROM_AGENT__ANSWER_DONE
        case .failure(let failure):
            var part = unsafe Fcrunc__Agent__Failure()
            unsafe fcrunc__agent__failure__init(&part)
            unsafe part.errno_value = failure.errno
            unsafe part.stage = try arena.string(failure.stage, "failure.stage")
            unsafe part.message = try arena.string(failure.message, "failure.message")
            unsafe message.failure = arena.place(part)
            unsafe message.answer_case = FCRUNC__AGENT__FROM_AGENT__ANSWER_FAILURE
        case .welcome(let version, let kernelRelease):
            var part = unsafe Fcrunc__Agent__Welcome()
            unsafe fcrunc__agent__welcome__init(&part)
            unsafe part.version = version
            unsafe part.kernel_release = try arena.string(kernelRelease, "welcome.kernel_release")
            unsafe message.welcome = arena.place(part)
            unsafe message.answer_case = FCRUNC__AGENT__FROM_AGENT__ANSWER_WELCOME
        case .started(let pid):
            var part = unsafe Fcrunc__Agent__Started()
            unsafe fcrunc__agent__started__init(&part)
            unsafe part.pid = pid
            unsafe message.started = arena.place(part)
            unsafe message.answer_case = FCRUNC__AGENT__FROM_AGENT__ANSWER_STARTED
        case .exited(let exit):
            unsafe message.exited = exit.encoded(in: arena)
            unsafe message.answer_case = FCRUNC__AGENT__FROM_AGENT__ANSWER_EXITED
        case .statistics(let files):
            var part = unsafe Fcrunc__Agent__Statistics()
            unsafe fcrunc__agent__statistics__init(&part)
            unsafe part.n_files = files.count
            unsafe part.files = try arena.parameters(files, "statistics.files")
            unsafe message.statistics = arena.place(part)
            unsafe message.answer_case = FCRUNC__AGENT__FROM_AGENT__ANSWER_STATISTICS
        case .processes(let processes):
            var part = unsafe Fcrunc__Agent__ProcessList()
            unsafe fcrunc__agent__process_list__init(&part)
            var entries: [UnsafeMutablePointer<Fcrunc__Agent__ProcessEntry>] = unsafe []
            for process in processes { unsafe entries.append(try process.encoded(in: arena)) }
            unsafe part.n_processes = entries.count
            unsafe part.processes = arena.list(entries)
            unsafe message.process_list = arena.place(part)
            unsafe message.answer_case = FCRUNC__AGENT__FROM_AGENT__ANSWER_PROCESS_LIST
        case .event(let container, let kind):
            var part = unsafe Fcrunc__Agent__Event()
            unsafe fcrunc__agent__event__init(&part)
            unsafe part.container_id = try arena.string(container, "event.container_id")
            unsafe part.kind = try arena.string(kind, "event.kind")
            unsafe message.event = arena.place(part)
            unsafe message.answer_case = FCRUNC__AGENT__FROM_AGENT__ANSWER_EVENT
        }
    }

    init(_ message: Fcrunc__Agent__FromAgent) throws(AgentProtocolError) {
        switch unsafe message.answer_case {
        case FCRUNC__AGENT__FROM_AGENT__ANSWER_DONE:
            self = .done
        case FCRUNC__AGENT__FROM_AGENT__ANSWER_FAILURE:
            let part = unsafe message.failure.pointee
            self = .failure(
                Failure(
                    errno: unsafe part.errno_value, stage: try unsafe Wire.string(part.stage, "failure.stage"),
                    message: try unsafe Wire.string(part.message, "failure.message")))
        case FCRUNC__AGENT__FROM_AGENT__ANSWER_WELCOME:
            let part = unsafe message.welcome.pointee
            self = .welcome(
                version: unsafe part.version,
                kernelRelease: try unsafe Wire.string(part.kernel_release, "welcome.kernel_release"))
        case FCRUNC__AGENT__FROM_AGENT__ANSWER_STARTED:
            self = unsafe .started(pid: message.started.pointee.pid)
        case FCRUNC__AGENT__FROM_AGENT__ANSWER_EXITED:
            self = .exited(try unsafe ProcessExit(message.exited.pointee))
        case FCRUNC__AGENT__FROM_AGENT__ANSWER_STATISTICS:
            let part = unsafe message.statistics.pointee
            self = .statistics(try unsafe Wire.parameters(part.files, part.n_files, "statistics.files"))
        case FCRUNC__AGENT__FROM_AGENT__ANSWER_PROCESS_LIST:
            let part = unsafe message.process_list.pointee
            self = .processes(
                try unsafe Wire.list(
                    part.processes, part.n_processes, "process_list.processes", limit: ListLimit.processes
                ) { (entry) throws(AgentProtocolError) in try unsafe ProcessEntry(entry.pointee) })
        case FCRUNC__AGENT__FROM_AGENT__ANSWER_EVENT:
            let part = unsafe message.event.pointee
            self = .event(
                container: try unsafe Wire.string(part.container_id, "event.container_id"),
                kind: try unsafe Wire.string(part.kind, "event.kind"))
        default:
            throw .unknownKind
        }
    }
}

extension ProcessExit {
    func encoded(in arena: EncodingArena) -> UnsafeMutablePointer<Fcrunc__Agent__Exited> {
        var message = unsafe Fcrunc__Agent__Exited()
        unsafe fcrunc__agent__exited__init(&message)
        switch status {
        case .exited(let code): unsafe message.code = UInt32(code)
        case .signaled(let signal): unsafe message.signal = UInt32(bitPattern: signal)
        }
        unsafe message.time_nanoseconds = timeNanoseconds
        unsafe message.out_of_memory = ranOutOfMemory ? 1 : 0
        return unsafe arena.place(message)
    }

    init(_ message: Fcrunc__Agent__Exited) throws(AgentProtocolError) {
        let (code, signal) = unsafe (message.code, message.signal)
        let status: Status
        if signal != 0 {
            guard signal <= 64, code == 0 else { throw .outOfRange(field: "exited.signal", value: Int64(signal)) }
            status = .signaled(signal: Int32(signal))
        } else {
            guard let code = UInt8(exactly: code) else { throw .outOfRange(field: "exited.code", value: Int64(code)) }
            status = .exited(code: code)
        }
        self.init(
            status: status, timeNanoseconds: unsafe message.time_nanoseconds,
            ranOutOfMemory: unsafe message.out_of_memory != 0)
    }
}

extension ProcessEntry {
    func encoded(
        in arena: EncodingArena
    ) throws(AgentProtocolError) -> UnsafeMutablePointer<Fcrunc__Agent__ProcessEntry> {
        var message = unsafe Fcrunc__Agent__ProcessEntry()
        unsafe fcrunc__agent__process_entry__init(&message)
        unsafe message.pid = pid
        unsafe message.parent_pid = parentPID
        unsafe message.uid = uid
        unsafe message.start_ticks = startTicks
        unsafe message.cpu_ticks = cpuTicks
        unsafe message.terminal = try arena.string(terminal, "process_entry.terminal")
        unsafe message.command = try arena.string(command, "process_entry.command")
        return unsafe arena.place(message)
    }

    init(_ message: Fcrunc__Agent__ProcessEntry) throws(AgentProtocolError) {
        self.init(
            pid: unsafe message.pid, parentPID: unsafe message.parent_pid, uid: unsafe message.uid,
            startTicks: unsafe message.start_ticks, cpuTicks: unsafe message.cpu_ticks,
            terminal: try unsafe Wire.string(message.terminal, "process_entry.terminal"),
            command: try unsafe Wire.string(message.command, "process_entry.command"))
    }
}
