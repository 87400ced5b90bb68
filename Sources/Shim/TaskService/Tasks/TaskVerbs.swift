// SPDX-License-Identifier: Apache-2.0
import Glibc
import TTRPC

/// What is done to containers that are there.
extension TaskTable {
    func start(_ id: String, _ exec: String, reply: @escaping (Result<Int32, Failure>) -> Void) {
        inTurn(id, exec, reply) { [self] (task, process, done) throws(Failure) in
            guard case .created(let source) = process.state else {
                throw Failure(.failedPrecondition, "cannot start a \(process.word) process")
            }
            process.state = .starting(source, end: nil)
            let verb: Verb
            switch source {
            case .container: verb = .start(id: id)
            case .document(let document):
                willMake()
                verb = .exec(id: id, exec: exec, document: document, process.io)
            }
            verbs.run(verb, task.settings) { [self] outcome in
                switch outcome {
                case .success(let answer): started(task, process, answer, reply)
                case .failure(let failure): notStarted(task, process, failure, reply)
                }
                done()
            }
        }
    }

    private func started(
        _ task: Task, _ process: TaskProcess, _ answer: VerbAnswer,
        _ reply: (Result<Int32, Failure>) -> Void
    ) {
        guard case .starting(let source, let end) = process.state else { return }
        switch source {
        case .container(let pid):
            process.state = .running(pid: pid)
            publish(.started(id: task.id, pid: pid))
            reply(.success(pid))
            if let end { self.end(task, process, end) }
        case .document:
            process.state = .running(pid: answer.pid)
            publish(.execStarted(id: task.id, exec: process.exec, pid: answer.pid))
            reply(.success(answer.pid))
            adopt(process, answer)
        }
    }

    private func notStarted(
        _ task: Task, _ process: TaskProcess, _ failure: Failure, _ reply: (Result<Int32, Failure>) -> Void
    ) {
        log(TaskNote(.error, task.id, "start\(process.exec.isEmpty ? "" : " \(process.exec)"): \(failure.message)"))
        guard case .starting(let source, let end) = process.state else { return reply(.failure(failure)) }
        switch source {
        case .container:
            process.state = .created(source)
            reply(.failure(failure))
            if let end { self.end(task, process, end) }
        case .document:
            finishMaking()
            if failure.code == .deadlineExceeded {
                // It may be there all the same.
                verbs.run(
                    .kill(id: task.id, exec: process.exec, signal: SIGKILL, all: false), task.settings, done: { _ in })
            }
            process.stop(Exit(now: 255))
            reply(.failure(failure))
            if let end = task.pendingEnd, !task.hasLiveExecs { self.end(task, task.process, end) }
        }
    }

    func exec(
        _ id: String, _ exec: String, document: [UInt8], _ io: StandardIO,
        reply: @escaping (Result<Void, Failure>) -> Void
    ) {
        inTurn(id, "", reply) { [self] (task, process, done) throws(Failure) in
            guard task.process(named: exec) == nil else {
                throw Failure(.alreadyExists, "process \(exec) of container \(id): already exists")
            }
            guard process.exit == nil else { throw Failure(.failedPrecondition, "cannot exec in a stopped container") }
            if case .paused = process.state { throw Failure(.failedPrecondition, "cannot exec in a paused container") }
            guard task.processes.count <= Self.execLimit else {
                throw Failure(.resourceExhausted, "more than \(Self.execLimit) processes in container \(id)")
            }
            task.add(TaskProcess(container: id, exec: exec, io: io, .created(.document(document))))
            publish(.execAdded(id: id, exec: exec))
            reply(.success(()))
            done()
        }
    }

    /// Not queued behind other verbs: a signal is what ends one that hangs.
    func kill(
        _ id: String, _ exec: String, signal: Int32, all: Bool, reply: @escaping (Result<Void, Failure>) -> Void
    ) {
        let finished = Failure(.notFound, "process already finished")
        do throws(Failure) {
            let (task, process) = try process(id, exec)
            guard (0...64).contains(signal) else { throw Failure(.invalidArgument, "there is no signal \(signal)") }
            guard process.exit == nil else { throw finished }
            if task.isBeingMade {
                guard [SIGKILL, SIGTERM].contains(signal) else {
                    throw Failure(.failedPrecondition, "process not started")
                }
                process.wasSignaled = true
                verbs.giveUpCreate(of: id)
                return reply(.success(()))
            }
            if process.pid == 0, !process.isLive { throw Failure(.failedPrecondition, "process not started") }
            process.wasSignaled = true
            verbs.run(.kill(id: id, exec: exec, signal: signal, all: all), task.settings) { outcome in
                switch outcome {
                case .success: reply(.success(()))
                case .failure(let failure): reply(.failure(failure.code == .notFound ? finished : failure))
                }
            }
        } catch {
            reply(.failure(error))
        }
    }

    func pause(_ id: String, reply: @escaping (Result<Void, Failure>) -> Void) {
        change(id, .pause(id: id), reply) { process throws(Failure) in
            guard case .running = process.state else {
                throw Failure(.failedPrecondition, "cannot pause a \(process.word) container")
            }
        } then: { [self] process in
            if case .running(let pid) = process.state { process.state = .paused(pid: pid) }
            publish(.paused(id: id))
        }
    }

    func resume(_ id: String, reply: @escaping (Result<Void, Failure>) -> Void) {
        change(id, .resume(id: id), reply) { process throws(Failure) in
            guard case .paused = process.state else {
                throw Failure(.failedPrecondition, "cannot resume a \(process.word) container")
            }
        } then: { [self] process in
            if case .paused(let pid) = process.state { process.state = .running(pid: pid) }
            publish(.resumed(id: id))
        }
    }

    func update(_ id: String, resources: [UInt8], reply: @escaping (Result<Void, Failure>) -> Void) {
        change(id, .update(id: id, resources: resources), reply) { process throws(Failure) in
            guard process.exit == nil else { throw Failure(.failedPrecondition, "cannot update a stopped container") }
        }
    }

    private func change(
        _ id: String, _ verb: Verb, _ reply: @escaping (Result<Void, Failure>) -> Void,
        if allowed: @escaping (TaskProcess) throws(Failure) -> Void,
        then body: @escaping (TaskProcess) -> Void = { _ in }
    ) {
        inTurn(id, "", reply) { [self] (task, process, done) throws(Failure) in
            try allowed(process)
            verbs.run(verb, task.settings) { outcome in
                if case .success = outcome { body(process) }
                reply(outcome.map { _ in () })
                done()
            }
        }
    }

    /// - Parameter reply: given a google.protobuf.Any, encoded.
    func statistics(_ id: String, reply: @escaping (Result<[UInt8], Failure>) -> Void) {
        inTurn(id, "", reply) { [self] (task, process, done) throws(Failure) in
            guard process.exit == nil else { throw Failure(.notFound, "container \(id) is not running") }
            verbs.run(.statistics(id: id), task.settings) { outcome in
                reply(outcome.map { $0.payload })
                done()
            }
        }
    }

    func resize(
        _ id: String, _ exec: String, rows: UInt32, columns: UInt32, reply: @escaping (Result<Void, Failure>) -> Void
    ) {
        inTurn(id, exec, reply) { [self] (task, process, done) throws(Failure) in
            guard let rows = UInt16(exactly: rows), let columns = UInt16(exactly: columns) else {
                throw Failure(.invalidArgument, "a terminal cannot have \(rows) rows of \(columns)")
            }
            guard process.io.terminal else { throw Failure(.failedPrecondition, "the process has no terminal") }
            guard process.exit == nil, process.pid > 0 else {
                throw Failure(.failedPrecondition, "cannot resize a \(process.word) process")
            }
            verbs.run(.resize(id: id, exec: exec, rows: rows, columns: columns), task.settings) { outcome in
                reply(outcome.map { _ in () })
                done()
            }
        }
    }

    /// Not queued behind other verbs. It may come while the process is being started, and holds then.
    func closeInput(_ id: String, _ exec: String) throws(Failure) { try process(id, exec).1.closeInput() }

    /// Calls `body` when it is the container's turn. It calls its last argument when it is done, unless it throws.
    private func inTurn<Answer>(
        _ id: String, _ exec: String, _ reply: @escaping (Result<Answer, Failure>) -> Void,
        _ body: @escaping (Task, TaskProcess, @escaping () -> Void) throws(Failure) -> Void
    ) {
        let task: Task
        do throws(Failure) { task = try process(id, exec).0 } catch { return reply(.failure(error)) }
        task.enqueue { [self] done in
            do throws(Failure) {
                let (task, process) = try self.process(id, exec)
                try body(task, process, done)
            } catch {
                reply(.failure(error))
                done()
            }
        }
    }
}

extension TaskProcess {
    /// Its state in a word, for messages.
    var word: String {
        switch state {
        case .creating: "creating"
        case .created: "created"
        case .starting: "starting"
        case .running: "running"
        case .paused: "paused"
        case .stopped: "stopped"
        }
    }
}
