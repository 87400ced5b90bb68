// SPDX-License-Identifier: Apache-2.0
import CAgentProtocol
public import Protobuf
import SandboxPlan

/// A request with the id its answer repeats, as the bytes of one frame.
public struct RequestMessage: Hashable, Sendable {
    /// Chosen by the host: the answer has it, too. Not 0.
    public var id: UInt64
    /// What is asked.
    public var request: Request

    /// The request of the number `id`, which its answer repeats.
    public init(id: UInt64, request: Request) {
        self.id = id
        self.request = request
    }

    /// The frame, its byte count included.
    public func frame() throws(MessageError) -> [UInt8] {
        try Frame.pack(self, limit: Frame.requestLimit)
    }

    /// - Parameter bytes: one message, without its byte count.
    public init(decoding bytes: [UInt8]) throws(MessageError) {
        self = try RequestMessage(unpacking: bytes)
    }
}

extension RequestMessage: AgentMessage {
    package static let blank = RequestMessage(id: 0, request: .shutdown)
    // The function fills a structure of the type it takes.
    package static let kind = unsafe MessageKind(fcrunc__agent__to_agent__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("id", &id)
        fields.oneOf("request", &request)
    }
}

extension Request: OneOf {
    package static var blanks: [Request] {
        let process = ProcessName(container: "")
        return [
            .hello(version: 0), .configure(GuestConfiguration(hostname: "", timeNanoseconds: 0)),
            .create(.blank, streams: StreamTokens(), isOwned: false), .start(container: ""),
            .exec(process, process: .blank, streams: StreamTokens(), isOwned: false),
            .signal(process, number: 0, toAll: false), .wait(process),
            .resize(process, size: TerminalSize(rows: 0, columns: 0)), .closeStdin(process),
            .update(container: "", resources: ResourcePlan()), .pause(container: ""), .resume(container: ""),
            .stats(container: ""), .processes(container: ""), .delete(container: "", force: false),
            .forgetShare(name: ""), .network(NetworkPlan()), .resolver(port: 0, token: .blank), .shutdown,
        ]
    }

    package var field: StaticString {
        switch self {
        case .hello: "hello"
        case .configure: "configure"
        case .create: "create"
        case .start: "start"
        case .exec: "exec"
        case .signal: "signal"
        case .wait: "wait"
        case .resize: "resize"
        case .closeStdin: "close_stdin"
        case .update: "update"
        case .pause: "pause"
        case .resume: "resume"
        case .stats: "stats"
        case .processes: "processes"
        case .delete: "delete"
        case .forgetShare: "forget_share"
        case .network: "network"
        case .resolver: "resolver"
        case .shutdown: "shutdown"
        }
    }

    package mutating func exchange(_ fields: MessageFields) {
        switch self {
        case .hello(var version):
            fields.number("version", &version)
            self = .hello(version: version)
        case .configure(var configuration):
            configuration.exchange(fields)
            self = .configure(configuration)
        case .create(var plan, var streams, var isOwned):
            fields.required("container", &plan)
            fields.required("streams", &streams)
            fields.flag("owned", &isOwned)
            self = .create(plan, streams: streams, isOwned: isOwned)
        case .exec(var name, var process, var streams, var isOwned, var ignoresPause):
            name.exchange(fields)
            if fields.isReading, name.exec == nil { fields.fail("exec_id") { .missing(field: $0) } }
            fields.required("process", &process)
            fields.required("streams", &streams)
            fields.flag("owned", &isOwned)
            fields.flag("ignores_pause", &ignoresPause)
            self = .exec(name, process: process, streams: streams, isOwned: isOwned, ignoresPause: ignoresPause)
        case .signal(var name, var number, var toAll):
            name.exchange(fields)
            fields.number("signal", &number)
            fields.flag("all", &toAll)
            self = .signal(name, number: number, toAll: toAll)
        case .wait(var name):
            name.exchange(fields)
            self = .wait(name)
        case .resize(var name, var size):
            name.exchange(fields)
            size.exchange(fields, rows: "rows", columns: "columns")
            self = .resize(name, size: size)
        case .closeStdin(var name):
            name.exchange(fields)
            self = .closeStdin(name)
        case .update(var container, var resources):
            fields.text("container_id", &container)
            fields.required("resources", &resources)
            self = .update(container: container, resources: resources)
        case .start(var container):
            fields.text("container_id", &container)
            self = .start(container: container)
        case .pause(var container):
            fields.text("container_id", &container)
            self = .pause(container: container)
        case .resume(var container):
            fields.text("container_id", &container)
            self = .resume(container: container)
        case .stats(var container):
            fields.text("container_id", &container)
            self = .stats(container: container)
        case .processes(var container):
            fields.text("container_id", &container)
            self = .processes(container: container)
        case .delete(var container, var force):
            fields.text("container_id", &container)
            fields.flag("force", &force)
            self = .delete(container: container, force: force)
        case .forgetShare(var name):
            fields.text("name", &name)
            self = .forgetShare(name: name)
        case .network(var plan):
            plan.exchange(fields)
            self = .network(plan)
        case .resolver(var port, let token):
            var optional: StreamToken? = token
            fields.number("port", &port)
            fields.token("token", &optional)
            if optional == nil { fields.fail("token") { .missing(field: $0) } }
            self = .resolver(port: port, token: optional ?? .blank)
        case .shutdown:
            break
        }
    }
}

extension Request {
    /// The request's name, for messages: `close stdin`.
    public var name: String {
        String(decoding: "\(field)".utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
    }
}

extension ProcessName {
    /// The two fields that name a process, in a message that has others.
    mutating func exchange(_ fields: MessageFields) {
        fields.text("container_id", &container)
        fields.text("exec_id", &exec)
    }
}

extension GuestConfiguration {
    /// The most bytes of entropy.
    static let entropyLimit = 4096

    mutating func exchange(_ fields: MessageFields) {
        fields.text("hostname", &hostname)
        fields.number("time_nanoseconds", &timeNanoseconds)
        fields.data("entropy", &entropy)
        if fields.isReading, entropy.count > Self.entropyLimit {
            fields.fail("entropy") { .wrongByteCount(field: $0, byteCount: entropy.count) }
        }
        fields.messages("kernel_parameters", &kernelParameters)
        fields.messages("least_kernel_parameters", &leastKernelParameters)
    }
}

extension StreamTokens: PackedMessage {
    package static let blank = StreamTokens()

    package mutating func exchange(_ fields: MessageFields) {
        fields.token("stdin_token", &input)
        fields.token("stdout_token", &output)
        fields.token("stderr_token", &error)
    }
}

extension MessageFields {
    /// A token, or none.
    func token(_ name: StaticString, _ token: inout StreamToken?) {
        var bytes = token?.bytes ?? []
        data(name, &bytes)
        token = StreamToken(bytes)
        if token == nil, !bytes.isEmpty {
            fail(name) { .wrongByteCount(field: $0, byteCount: bytes.count) }
        }
    }
}
