// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan
import TTRPC
import TaskProtocol

/// containerd 2's Sandbox service. A sandbox is a container whose id is the sandbox's, made by StartSandbox: its end is
/// the machine's, and the Task service knows it too.
final class SandboxRequests {
    private enum State {
        case none
        /// Asked for, and not started.
        case created(TaskDescription, VerbSettings)
        case starting(TaskDescription, VerbSettings)
        case started(id: String, at: Timestamp)
    }

    /// How long a sandbox may take to end if the request does not say.
    private static let stopTimeout = Duration.seconds(10)

    private let table: TaskTable
    private let later: (Duration, @escaping () -> Void) -> Void
    private let shutdown: () -> Void
    private var state = State.none

    init(
        table: TaskTable, later: @escaping (Duration, @escaping () -> Void) -> Void, shutdown: @escaping () -> Void
    ) {
        self.table = table
        self.later = later
        self.shutdown = shutdown
    }

    /// No sandbox is here, or on its way.
    var isEmpty: Bool { if case .none = state { true } else { false } }

    func handle(_ call: Call) {
        guard let method = SandboxMethod(rawValue: call.method) else {
            return call.fail(Failure(.unimplemented, "method \(call.method) of \(call.service) is not known"))
        }
        do throws(Failure) { try handle(method, call) } catch { call.fail(error) }
    }

    private func handle(_ method: SandboxMethod, _ call: Call) throws(Failure) {
        switch method {
        case .create: try create(call.message(), call)
        case .start: try start(call.message(), call)
        case .platform:
            _ = try call.message() as IDRequest
            call.answer(
                PlatformResponse.with {
                    $0.platform = .with {
                        $0.os = "linux"
                        $0.architecture = "amd64"
                    }
                }.encoded())
        case .stop: try stop(call.message(), call)
        case .wait:
            try process((call.message() as IDRequest).id).wait { exit in
                call.answer(
                    WaitResponse.with {
                        $0.exitStatus = exit.status
                        $0.exitedAt = exit.timestamp
                    }.encoded())
            }
        case .status: try status(call.message(), call)
        case .ping:
            _ = try call.message() as IDRequest
            call.answer(EmptyResponse.encoded)
        case .shutdown: try remove(call.message(), call)
        case .metrics: try metrics(call.message(), call)
        }
    }

    private func create(_ request: CreateSandboxRequest, _ call: Call) throws(Failure) {
        guard isEmpty else { throw Failure(.alreadyExists, "sandbox \(request.sandboxID): this shim has one") }
        try ContainerID.check(request.sandboxID, "sandbox id")
        for (path, name) in [(request.bundlePath, "bundle"), (request.netnsPath, "network namespace")] {
            guard !path.utf8.contains(0), path.begins(with: "/") || (path.isEmpty && name != "bundle") else {
                throw Failure(.invalidArgument, "\(name) \"\(path)\": not an absolute path")
            }
        }
        var description = TaskDescription(id: request.sandboxID, bundle: request.bundlePath)
        description.rootfs = request.rootfs
        description.sandbox = SandboxDescription(
            networkNamespace: request.netnsPath, annotations: request.annotations)
        // What CRI puts there describes the pod, and is in the annotations as far as it counts here.
        let isOurs = request.options.map { $0.isA(TypeName.runcOptions) || $0.isA(TypeName.criRuntimeOptions) }
        state = .created(description, try VerbSettings(isOurs == true ? request.options : nil))
        call.answer(EmptyResponse.encoded)
    }

    private func start(_ request: IDRequest, _ call: Call) throws(Failure) {
        guard case .created(let description, let settings) = state, description.id == request.id else {
            throw isKnown(request.id)
                ? Failure(.failedPrecondition, "sandbox \(request.id) was started before") : notFound(request.id)
        }
        state = .starting(description, settings)
        table.create(description, settings) { [self] result in
            switch result {
            case .failure(let failure):
                state = .created(description, settings)
                call.fail(failure)
            case .success: run(description, settings, call)
            }
        }
    }

    private func run(_ description: TaskDescription, _ settings: VerbSettings, _ call: Call) {
        let id = description.id
        table.start(id, "") { [self] result in
            switch result {
            case .failure(let failure):
                table.delete(id, "") { [self] _ in
                    state = .created(description, settings)
                    call.fail(failure)
                }
            case .success(let pid):
                let now = SystemTime.realtime()
                let time = Timestamp(seconds: now.seconds, nanoseconds: Int32(truncatingIfNeeded: now.nanoseconds))
                state = .started(id: id, at: time)
                call.answer(
                    StartSandboxResponse.with {
                        $0.pid = UInt32(pid)
                        $0.createdAt = time
                    }.encoded())
            }
        }
    }

    /// SIGTERM, and SIGKILL when the time is up; answered when it has ended.
    private func stop(_ request: StopSandboxRequest, _ call: Call) throws(Failure) {
        guard case .started(let id, _) = state else {
            guard isKnown(request.sandboxID) else { throw notFound(request.sandboxID) }
            return call.answer(EmptyResponse.encoded)
        }
        let process = try process(request.sandboxID)
        guard process.exit == nil else { return call.answer(EmptyResponse.encoded) }
        process.wait { _ in call.answer(EmptyResponse.encoded) }
        table.kill(id, "", signal: SIGTERM, all: false) { _ in }
        let timeout =
            request.timeoutSeconds == 0 ? Self.stopTimeout : .seconds(Int64(request.timeoutSeconds))
        later(timeout) { [table] in
            if process.exit == nil { table.kill(id, "", signal: SIGKILL, all: true) { _ in } }
        }
    }

    private func status(_ request: SandboxStatusRequest, _ call: Call) throws(Failure) {
        guard isKnown(request.sandboxID) else { throw notFound(request.sandboxID) }
        var response = SandboxStatusResponse()
        response.sandboxID = request.sandboxID
        response.state = SandboxState.notReady
        if case .started(_, let time) = state {
            let process = try process(request.sandboxID)
            response.createdAt = time
            response.pid = UInt32(process.pid)
            response.exitedAt = process.exit?.timestamp
            if case .running = process.state { response.state = SandboxState.ready }
            if request.verbose { response.info = ["runtime": "io.containerd.fc-runc.v2", "process": process.word] }
        }
        call.answer(response.encoded())
    }

    /// Ends it if it is there, and with it this process once nothing else is here.
    private func remove(_ request: IDRequest, _ call: Call) throws(Failure) {
        guard isKnown(request.id) else { throw notFound(request.id) }
        let finish = { [self] in
            state = .none
            call.answer(EmptyResponse.encoded)
            if table.isEmpty { shutdown() }
        }
        switch state {
        case .none, .created: finish()
        case .starting: throw Failure(.failedPrecondition, "sandbox \(request.id) is being started")
        case .started:
            guard let process = try? process(request.id) else { return finish() }
            // The deletion waits for the end, which the kill brings about.
            process.wait { [self] _ in
                table.delete(request.id, "") { result in
                    if case .failure(let failure) = result { return call.fail(failure) }
                    finish()
                }
            }
            if process.exit == nil { table.kill(request.id, "", signal: SIGKILL, all: true) { _ in } }
        }
    }

    private func metrics(_ request: IDRequest, _ call: Call) throws(Failure) {
        _ = try process(request.id)
        table.statistics(request.id) { result in
            call.answer(result) { figures in
                let now = SystemTime.realtime()
                return SandboxMetricsResponse.with {
                    $0.metrics = .with {
                        $0.timestamp = Timestamp(
                            seconds: now.seconds, nanoseconds: Int32(truncatingIfNeeded: now.nanoseconds))
                        $0.data = try? AnyMessage(decoding: figures)
                    }
                }.encoded()
            }
        }
    }

    private func isKnown(_ id: String) -> Bool {
        switch state {
        case .none: false
        case .created(let description, _), .starting(let description, _): description.id == id
        case .started(let known, _): known == id
        }
    }

    /// Of the sandbox, once it has been started.
    private func process(_ id: String) throws(Failure) -> TaskProcess {
        guard isKnown(id) else { throw notFound(id) }
        guard case .started = state else { throw Failure(.failedPrecondition, "sandbox \(id) has not been started") }
        return try table.process(id, "").1
    }

    private func notFound(_ id: String) -> Failure { Failure(.notFound, "sandbox \(id): not found") }
}
