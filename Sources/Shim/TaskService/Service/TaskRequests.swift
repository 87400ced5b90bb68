// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import SandboxPlan
import TTRPC
import TaskProtocol

/// containerd's Task service, versions 2 and 3, whose messages are alike: reads requests and writes answers.
struct TaskRequests {
    let table: TaskTable
    /// Called where containerd wants the shim to end, and nothing is left here.
    let shutdown: () -> Void

    func handle(_ call: Call) {
        guard let method = TaskMethod(rawValue: call.method) else {
            return call.fail(Failure(.unimplemented, "method \(call.method) of \(call.service) is not known"))
        }
        do throws(Failure) { try handle(method, call) } catch { call.fail(error) }
    }

    private func handle(_ method: TaskMethod, _ call: Call) throws(Failure) {
        switch method {
        case .state: try state(call.message(), call)
        case .create: try create(call.message(), call)
        case .start:
            let request: ProcessRequest = try call.message()
            table.start(request.id, request.execID) { result in
                call.answer(result) { pid in PidResponse.with { $0.pid = UInt32(pid) }.encoded() }
            }
        case .delete:
            let request: ProcessRequest = try call.message()
            table.delete(request.id, request.execID) { result in
                call.answer(result) { deleted in
                    DeleteResponse.with {
                        $0.pid = UInt32(deleted.pid)
                        $0.exitStatus = deleted.exit.status
                        $0.exitedAt = deleted.exit.timestamp
                    }.encoded()
                }
            }
        case .pids: try pids(call.message(), call)
        case .pause: table.pause(try (call.message() as IDRequest).id, reply: call.done)
        case .resume: table.resume(try (call.message() as IDRequest).id, reply: call.done)
        case .checkpoint: throw Failure(.unimplemented, "checkpoint: not implemented: a virtual machine cannot be one")
        case .kill:
            let request: KillRequest = try call.message()
            table.kill(
                request.id, request.execID, signal: Int32(clamping: request.signal), all: request.all,
                reply: call.done)
        case .exec: try exec(call.message(), call)
        case .resizePty:
            let request: ResizePtyRequest = try call.message()
            table.resize(
                request.id, request.execID, rows: request.height, columns: request.width, reply: call.done)
        case .closeIO:
            let request: CloseIORequest = try call.message()
            if request.stdin { try table.closeInput(request.id, request.execID) }
            call.answer(EmptyResponse.encoded)
        case .update: try update(call.message(), call)
        case .wait:
            let request: ProcessRequest = try call.message()
            try table.process(request.id, request.execID).1.wait { exit in
                call.answer(
                    WaitResponse.with {
                        $0.exitStatus = exit.status
                        $0.exitedAt = exit.timestamp
                    }.encoded())
            }
        case .stats:
            let request: IDRequest = try call.message()
            table.statistics(request.id) { result in
                call.answer(result) { figures in
                    StatsResponse.with { $0.stats = try? AnyMessage(decoding: figures) }.encoded()
                }
            }
        case .connect:
            let request: IDRequest = try call.message()
            call.answer(
                ConnectResponse.with {
                    $0.shimPID = UInt32(getpid())
                    $0.taskPID = UInt32(table.tasks[request.id]?.process.pid ?? 0)
                }.encoded())
        case .shutdown:
            // Asked after each container of a pod.
            call.answer(EmptyResponse.encoded)
            if table.isEmpty { return shutdown() }
            table.giveUpCreating { if table.isEmpty { shutdown() } }
        }
    }

    private func create(_ request: CreateTaskRequest, _ call: Call) throws(Failure) {
        guard request.checkpoint.isEmpty, request.parentCheckpoint.isEmpty else {
            throw Failure(.unimplemented, "create from a checkpoint: not implemented")
        }
        try ContainerID.check(request.id, "container id")
        guard request.bundle.begins(with: "/"), !request.bundle.utf8.contains(0) else {
            throw Failure(.invalidArgument, "bundle \"\(request.bundle)\": not an absolute path")
        }
        var description = TaskDescription(id: request.id, bundle: request.bundle)
        description.rootfs = request.rootfs
        description.io = StandardIO(
            stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, terminal: request.terminal)
        table.create(description, try VerbSettings(request.options)) { result in
            call.answer(result) { pid in PidResponse.with { $0.pid = UInt32(pid) }.encoded() }
        }
    }

    private func exec(_ request: ExecProcessRequest, _ call: Call) throws(Failure) {
        try ContainerID.check(request.execID, "exec id")
        guard let spec = request.spec, !spec.value.isEmpty else {
            throw Failure(.invalidArgument, "exec: no process is given")
        }
        let io = StandardIO(
            stdin: request.stdin, stdout: request.stdout, stderr: request.stderr, terminal: request.terminal)
        table.exec(request.id, request.execID, document: spec.value, io, reply: call.done)
    }

    private func update(_ request: UpdateTaskRequest, _ call: Call) throws(Failure) {
        guard let resources = request.resources, !resources.value.isEmpty else {
            throw Failure(.invalidArgument, "update: no resources are given")
        }
        table.update(request.id, resources: resources.value, reply: call.done)
    }

    private func state(_ request: ProcessRequest, _ call: Call) throws(Failure) {
        let (task, process) = try table.process(request.id, request.execID)
        let state = StateResponse.with {
            $0.id = task.id
            $0.bundle = task.description.bundle
            $0.pid = UInt32(process.pid)
            $0.status = process.status
            $0.stdin = process.io.stdin
            $0.stdout = process.io.stdout
            $0.stderr = process.io.stderr
            $0.terminal = process.io.terminal
            $0.exitStatus = process.exit?.status ?? 0
            $0.exitedAt = process.exit?.timestamp
            $0.execID = process.exec
        }
        call.answer(state.encoded())
    }

    /// The processes on the host that stand for the guest's; what else runs in the guest has no number here.
    private func pids(_ request: IDRequest, _ call: Call) throws(Failure) {
        let task = try table.task(request.id)
        let processes = task.processes.filter { $0.pid > 0 && $0.exit == nil }.map { process in
            ProcessInfo.with {
                $0.pid = UInt32(process.pid)
                guard !process.exec.isEmpty else { return }
                $0.info = AnyMessage(
                    type: TypeName.processDetails, ProcessDetails.with { $0.execID = process.exec })
            }
        }
        call.answer(PidsResponse.with { $0.processes = processes }.encoded())
    }
}

extension TaskProcess {
    var status: TaskStatus {
        switch state {
        case .creating, .created, .starting: .created
        case .running: .running
        case .paused: .paused
        case .stopped: .stopped
        }
    }
}

extension Call {
    /// The request's message.
    func message<Message: TaskMessage>() throws(Failure) -> Message {
        do { return try Message(decoding: payload) } catch {
            throw Failure(.invalidArgument, "\(method): \(error)")
        }
    }

    func answer<Value>(_ result: Result<Value, Failure>, _ encode: (Value) -> [UInt8]) {
        switch result {
        case .success(let value): answer(encode(value))
        case .failure(let failure): fail(failure)
        }
    }

    /// Answers with a message that has no fields.
    func done(_ result: Result<Void, Failure>) { answer(result) { EmptyResponse.encoded } }
}

extension ContainerID {
    /// Checks a name that containerd gives: it becomes the name of a file, and goes into the log. containerd's own limit is
    /// ``containerdByteLimit``; ids of the runtime's command line may be longer.
    static func check(_ name: String, _ what: String) throws(Failure) {
        guard ContainerID(rawValue: name) == nil else { return }
        throw Failure(.invalidArgument, "\(what) \(ShimLog.quoted(String(name.prefix(64)), always: true)): invalid")
    }
}
