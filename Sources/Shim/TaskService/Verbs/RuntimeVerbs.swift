// SPDX-License-Identifier: Apache-2.0
import AgentClient
import Cgroup
import Configuration
import Handshake
import Linux
import OCISpec
import Sandbox
import SandboxPlan
import TTRPC
import TaskIO
import TaskProtocol
import TaskRootfs

/// Carries verbs out with the runtime, each in a process of its own.
final class RuntimeVerbs: VerbRunner {
    /// How long unread output is kept once its process has ended.
    static let stallMilliseconds: Int32 = 10_000
    static let loggerTimeout = Duration.seconds(10)

    private let calls: ForkedCalls
    private let log: ShimLog
    /// Containers that are being made, and the calls that make them.
    private var creations: [String: Int] = [:]

    init(calls: ForkedCalls, log: ShimLog) {
        self.calls = calls
        self.log = log
    }

    func run(_ verb: Verb, _ settings: VerbSettings, done: @escaping (VerbOutcome) -> Void) {
        switch verb {
        case .create(let description): make(verb, description.id, description.io, settings, done)
        case .exec(let id, _, _, let io): make(verb, id, io, settings, done)
        default:
            let runtimeCall = RuntimeCall(settings, log)
            calls.run(
                verb.name, limit: verb.limit, { () throws(Failure) in try runtimeCall.perform(verb) }, done: done)
        }
    }

    func giveUpCreate(of id: String) {
        if let call = creations[id] { calls.giveUp(call) }
    }

    /// A process's streams are opened here and handed to the copy that makes it.
    private func make(
        _ verb: Verb, _ id: String, _ io: StandardIO, _ settings: VerbSettings,
        _ done: @escaping (VerbOutcome) -> Void
    ) {
        do {
            var streams = try TaskStreams.open(
                stdin: io.stdin, stdout: io.stdout, stderr: io.stderr, terminal: io.terminal, containerID: id,
                namespace: log.namespace)
            let writer: OpenDescriptor? =
                switch streams.takeInputWriter() {
                case .some(let writer): OpenDescriptor(writer)
                case .none: nil
                }
            let logger = streams.loggerPID
            let call = start(verb, settings, streams) { [self] outcome in
                if case .create = verb { creations[id] = nil }
                done(
                    outcome.map { answer in
                        var answer = answer
                        answer.inputWriter = writer
                        answer.logger = logger
                        return answer
                    })
            }
            if case .create = verb { creations[id] = call }
        } catch {
            done(.failure(Failure(.invalidArgument, "\(error)")))
        }
    }

    private func start(
        _ verb: Verb, _ settings: VerbSettings, _ streams: borrowing TaskStreams,
        _ done: @escaping (VerbOutcome) -> Void
    ) -> Int {
        let runtimeCall = RuntimeCall(settings, log)
        return calls.run(
            verb.name, limit: verb.limit, keeping: streams.descriptors,
            { () throws(Failure) in
                do { try streams.waitForLogger(limit: Self.loggerTimeout) } catch {
                    throw Failure(.unknown, "\(error)")
                }
                return try runtimeCall.perform(
                    verb, .descriptors(input: streams.input, output: streams.output, error: streams.error))
            }, done: done)
    }
}

/// A verb, in the process that is there for it alone.
struct RuntimeCall {
    let settings: VerbSettings
    let log: ShimLog

    init(_ settings: VerbSettings, _ log: ShimLog) {
        self.settings = settings
        self.log = log
    }

    /// - Parameter io: the streams of the process that it makes.
    func perform(
        _ verb: Verb, _ io: ProcessIO = .descriptors(input: nil, output: nil, error: nil)
    ) throws(Failure) -> VerbAnswer {
        do {
            return try answer(verb, io)
        } catch let error as Failure {
            throw error
        } catch let error as RuntimeError {
            throw Failure(error)
        } catch let error as ConfigurationError {
            throw Failure(.invalidArgument, "\(error)")
        } catch {
            throw Failure(.unknown, "\(error)")
        }
    }

    func runtime(for id: String) throws(ConfigurationError) -> Runtime {
        var told = Settings()
        told.root = StateDirectory.ofNamespace(log.namespace, below: settings.root)
        told.configurationFile = settings.configuration
        let log = log
        return Runtime(
            try RuntimeOptions(told) { level, text in
                log.write(TaskNote(TaskNote.Level(rawValue: level.rawValue) ?? .info, id, text))
            })
    }

    private func answer(_ verb: Verb, _ io: ProcessIO) throws -> VerbAnswer {
        switch verb {
        case .create(let description): return try prefixed("create") { try create(description, io) }
        case .start(let id):
            return try prefixed("start") {
                try runtime(for: id).start(id)
                return VerbAnswer()
            }
        case .exec(let id, let exec, let document, _):
            var request = ExecRequest(id: id, source: .document(document))
            request.execID = exec
            request.io = io
            request.stallMilliseconds = RuntimeVerbs.stallMilliseconds
            return try prefixed("exec") { VerbAnswer(pid: try runtime(for: id).startExec(request)) }
        case .kill(let id, let exec, let signal, let all):
            try runtime(for: id).kill(id, exec: exec.isEmpty ? nil : exec, signal: signal, all: all)
        case .pause(let id): try runtime(for: id).pause(id)
        case .resume(let id): try runtime(for: id).resume(id)
        case .resize(let id, let exec, let rows, let columns):
            try runtime(for: id).resize(
                id, exec: exec.isEmpty ? nil : exec, to: TerminalSize(rows: rows, columns: columns))
        case .update(let id, let resources): try runtime(for: id).update(id, document: resources)
        case .statistics(let id): return VerbAnswer(payload: try statistics(id))
        case .remove(let id, let bundle): try remove(id, bundle)
        case .explain(let id): return VerbAnswer(payload: Array((try runtime(for: id).stopReason(id) ?? "").utf8))
        }
        return VerbAnswer()
    }

    /// An error caused by the container itself begins as runc's shim has it: clients look for that.
    private func prefixed(_ what: String, _ body: () throws -> VerbAnswer) throws -> VerbAnswer {
        do { return try body() } catch let error as RuntimeError {
            var failure = Failure(error)
            if failure.code == .unknown || failure.code == .invalidArgument || failure.code == .unavailable {
                failure.message = "OCI runtime \(what) failed: \(failure.message)"
            }
            throw failure
        }
    }

    private func create(_ description: TaskDescription, _ io: ProcessIO) throws -> VerbAnswer {
        let runtime = try runtime(for: description.id)
        if let sandbox = description.sandbox { try SandboxBundle.complete(description, sandbox) }
        try StoredSettings(settings).write(in: description.bundle)
        let root = try TaskRootfs.mount(
            description.rootfs.map {
                RootMount(type: $0.type, source: $0.source, target: $0.target, options: $0.options)
            }, bundle: description.bundle)
        do {
            var request = CreateRequest(id: description.id, bundle: description.bundle)
            request.io = io
            request.stallMilliseconds = RuntimeVerbs.stallMilliseconds
            if case .disk(let disk) = root { request.rootDisk = disk }
            let pid = try runtime.create(request)
            return VerbAnswer(pid: pid, agent: agent(of: description.id, runtime))
        } catch {
            // The first error is the one to tell.
            try? TaskRootfs.unmount(bundle: description.bundle)
            throw error
        }
    }

    /// For the first container of a sandbox a connection to its agent, for what that tells unasked.
    private func agent(of id: String, _ runtime: Runtime) -> OpenDescriptor? {
        do {
            guard try runtime.sandbox(of: id) == id else { return nil }
            let connection = try runtime.agentConnection(id)
            return OpenDescriptor(try connection.descriptor.duplicate())
        } catch {
            log.write(TaskNote(.warning, id, "no news of memory that runs out: \(error)"))
            return nil
        }
    }

    /// Both are tried, whatever the first comes to: what can go goes.
    func remove(_ id: String, _ bundle: String) throws {
        let ended = Result { try runtime(for: id).delete(id, force: true) }
        try TaskRootfs.unmount(bundle: bundle)
        try ended.get()
    }

    private func statistics(_ id: String) throws -> [UInt8] {
        let files = try runtime(for: id).cgroupFigures(id)
        let statistics: Statistics
        do throws(CgroupError) {
            statistics = try Statistics(cgroupFiles: files)
        } catch {
            throw RuntimeError.statistics(error)
        }
        let metrics = CgroupMetrics(statistics, memoryEvents: files["memory.events"] ?? "")
        let message =
            try CgroupLayout.current().version == .two
            ? AnyMessage(type: TypeName.cgroupV2Metrics, metrics.version2)
            : AnyMessage(type: TypeName.cgroupV1Metrics, metrics.version1)
        return message.encoded()
    }
}
