// SPDX-License-Identifier: Apache-2.0
import CAgentProtocol
public import Protobuf
import SandboxPlan

/// An answer with the id of its request (0: an event), as the bytes of one frame.
public struct AnswerMessage: Hashable, Sendable {
    /// The request's; 0 for an event.
    public var id: UInt64
    /// What is answered, or said unasked.
    public var answer: Answer

    /// The answer to the request of the number `id`.
    public init(id: UInt64, answer: Answer) {
        self.id = id
        self.answer = answer
    }

    /// The frame, its byte count included.
    public func frame() throws(MessageError) -> [UInt8] {
        try Frame.pack(self, limit: Frame.limit)
    }

    /// What a guest says is made fit to be shown, as ``GuestText`` has it.
    ///
    /// - Parameter bytes: one message, without its byte count.
    public init(decoding bytes: [UInt8]) throws(MessageError) {
        self = try AnswerMessage(unpacking: bytes)
    }
}

extension AnswerMessage: AgentMessage {
    package static let blank = AnswerMessage(id: 0, answer: .done)
    // The function fills a structure of the type it takes.
    package static let kind = unsafe MessageKind(fcrunc__agent__from_agent__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("id", &id)
        fields.oneOf("answer", &answer)
    }
}

extension Answer: OneOf {
    package static let blanks: [Answer] = [
        .done, .failure(Failure(stage: "", message: "")), .welcome(version: 0), .started(pid: 0),
        .exited(ProcessExit(status: .exited(code: 0))), .statistics([]), .processes([]),
        .event(container: "", kind: ""),
    ]

    package var field: StaticString {
        switch self {
        case .done: "done"
        case .failure: "failure"
        case .welcome: "welcome"
        case .started: "started"
        case .exited: "exited"
        case .statistics: "statistics"
        case .processes: "process_list"
        case .event: "event"
        }
    }

    package mutating func exchange(_ fields: MessageFields) {
        switch self {
        case .done:
            break
        case .failure(var failure):
            failure.exchange(fields)
            self = .failure(failure)
        case .welcome(var version):
            fields.number("version", &version)
            self = .welcome(version: version)
        case .started(var pid):
            fields.number("pid", &pid)
            self = .started(pid: pid)
        case .exited(var exit):
            exit.exchange(fields)
            self = .exited(exit)
        case .statistics(var files):
            fields.messages("files", &files)
            if fields.isReading {
                files = files.map {
                    KernelParameter(
                        name: GuestText.printable($0.name), value: GuestText.printable($0.value, keepsLines: true))
                }
            }
            self = .statistics(files)
        case .processes(var processes):
            fields.messages("processes", &processes)
            self = .processes(processes)
        case .event(var container, var kind):
            fields.text("container_id", &container)
            fields.text("kind", &kind)
            self = .event(container: container, kind: kind)
        }
    }
}

extension Failure {
    mutating func exchange(_ fields: MessageFields) {
        fields.number("errno_value", &errno)
        fields.text("stage", &stage)
        fields.text("message", &message)
        guard fields.isReading else { return }
        stage = GuestText.line(stage)
        message = GuestText.line(message)
    }
}

extension ProcessExit {
    mutating func exchange(_ fields: MessageFields) {
        var (code, signal): (UInt32, UInt32) =
            switch status {
            case .exited(let code): (UInt32(code), 0)
            case .signaled(let signal): (0, UInt32(bitPattern: signal))
            }
        fields.number("code", &code)
        fields.number("signal", &signal)
        if fields.isReading { read(code, signal, fields) }
        fields.flag("out_of_memory", &ranOutOfMemory)
        fields.number("output_bytes", &outputByteCount)
        fields.number("error_bytes", &errorByteCount)
        fields.flag("by_request", &wasRequested)
    }

    private mutating func read(_ code: UInt32, _ signal: UInt32, _ fields: MessageFields) {
        if signal != 0 {
            guard code == 0, let number = Int32(exactly: signal), Status.canEnd(signal: number) else {
                return fields.fail("signal") { .outOfRange(field: $0, value: Int64(signal)) }
            }
            status = .signaled(signal: number)
        } else {
            guard let number = UInt8(exactly: code) else {
                return fields.fail("code") { .outOfRange(field: $0, value: Int64(code)) }
            }
            status = .exited(code: number)
        }
    }
}

extension ProcessEntry: PackedMessage {
    package static let blank = ProcessEntry(
        pid: 0, parentPID: 0, uid: 0, startTicks: 0, cpuTicks: 0, terminal: "", command: "")

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("pid", &pid)
        fields.number("parent_pid", &parentPID)
        fields.number("uid", &uid)
        fields.number("start_ticks", &startTicks)
        fields.number("cpu_ticks", &cpuTicks)
        fields.text("terminal", &terminal)
        fields.text("command", &command)
        guard fields.isReading else { return }
        terminal = GuestText.printable(terminal)
        command = GuestText.printable(command)
    }
}
