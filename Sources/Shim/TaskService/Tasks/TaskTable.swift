// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import TTRPC

/// The containers of a shim and what can be asked of them: containerd's Task service without its messages.
///
/// Every answer is given once, at once or from the loop later. What the runtime does goes through ``VerbRunner``;
/// what happens is published in the order that containerd wants (create, start, exit, delete).
final class TaskTable {
    /// Of a shim, and execs of a container: bounds what a client can make this process keep.
    static let taskLimit = 1024
    static let execLimit = 1024
    /// How long the end of a container is kept back for the ends of what ran in it beside, which die with it.
    static let execEndLimit = Duration.seconds(2)

    let verbs: any VerbRunner
    let publish: (TaskEvent) -> Void
    let later: (Duration, @escaping () -> Void) -> Void
    let log: (TaskNote) -> Void
    private(set) var tasks: [String: Task] = [:] {
        didSet { if tasks.isEmpty { onEmpty() } }
    }
    /// The last container has gone.
    var onEmpty: () -> Void = {}
    /// By pid: the processes on the host that stand for those of the guests.
    private var owners: [Int32: TaskProcess] = [:]
    /// Children that ended while a process was being made whose pid is not known yet: it may have been one of them.
    private var strays: [Int32: Exit] = [:]
    private var madeCount = 0
    private var loggers: Set<Int32> = []
    /// Given a connection to the agent of a sandbox, for what it tells unasked.
    var onAgent: (OpenDescriptor) -> Void = { _ in }
    /// Makes ``childEnded(_:_:)`` known of all that has ended by now.
    var reap: () -> Void = {}

    init(
        verbs: any VerbRunner, publish: @escaping (TaskEvent) -> Void,
        later: @escaping (Duration, @escaping () -> Void) -> Void, log: @escaping (TaskNote) -> Void
    ) {
        self.verbs = verbs
        self.publish = publish
        self.later = later
        self.log = log
    }

    /// Nothing is here or on its way.
    var isEmpty: Bool { tasks.isEmpty }

    func task(_ id: String) throws(Failure) -> Task {
        guard let task = tasks[id] else { throw Failure(.notFound, "container \(id): not found") }
        return task
    }

    func process(_ id: String, _ exec: String) throws(Failure) -> (Task, TaskProcess) {
        let task = try task(id)
        guard let process = task.process(named: exec) else {
            throw Failure(.notFound, "process \(exec) of container \(id): not found")
        }
        return (task, process)
    }

    // MARK: Making and unmaking

    func create(
        _ description: TaskDescription, _ settings: VerbSettings, reply: @escaping (Result<Int32, Failure>) -> Void
    ) {
        let id = description.id
        guard tasks[id] == nil else {
            return reply(.failure(Failure(.alreadyExists, "container \(id): already exists")))
        }
        guard tasks.count < Self.taskLimit else {
            return reply(.failure(Failure(.resourceExhausted, "more than \(Self.taskLimit) containers in one shim")))
        }
        let task = Task(description, settings: settings)
        tasks[id] = task
        willMake()
        task.enqueue { [self] done in
            verbs.run(.create(description), settings) { [self] outcome in
                switch outcome {
                case .success(let answer):
                    task.process.state = .created(.container(pid: answer.pid))
                    if let agent = answer.agent { onAgent(agent) }
                    publish(.created(description, pid: answer.pid))
                    reply(.success(answer.pid))
                    adopt(task.process, answer)
                    done()
                case .failure(let failure):
                    finishMaking()
                    log(TaskNote(.error, id, "create: \(failure.message)"))
                    let forget = { [self] in
                        tasks[id] = nil
                        task.process.stop(Exit(now: Exit.killedStatus))
                        reply(.failure(failure))
                        done()
                    }
                    guard failure.code == .deadlineExceeded else { return forget() }
                    // What it had done by then is not known.
                    verbs.run(.remove(id: id, bundle: description.bundle), settings) { _ in forget() }
                }
            }
        }
    }

    /// Where nothing is here but what is being made: ends that, and calls `done` for each that is gone. containerd
    /// wants none of it where it asks such a shim to end.
    func giveUpCreating(_ done: @escaping () -> Void) {
        guard tasks.values.allSatisfy(\.isBeingMade) else { return }
        for id in tasks.keys { delete(id, "") { _ in done() } }
    }

    /// Follows the process that `answer` is about; it may have ended already.
    func adopt(_ process: TaskProcess, _ answer: VerbAnswer) {
        process.hold(answer.inputWriter)
        process.logger = answer.logger
        if let logger = answer.logger { loggers.insert(logger) }
        owners[answer.pid] = process
        let end = strays.removeValue(forKey: answer.pid)
        finishMaking()
        if let end { childEnded(answer.pid, end) }
    }

    /// One process less is being made.
    func finishMaking() {
        madeCount -= 1
        if madeCount == 0 { strays = [:] }
    }

    func willMake() { madeCount += 1 }

    func delete(_ id: String, _ exec: String, reply: @escaping (Result<(pid: Int32, exit: Exit), Failure>) -> Void) {
        let task: Task
        do throws(Failure) { task = try process(id, exec).0 } catch { return reply(.failure(error)) }
        // Its client has given it up; the deletion has its turn once the creation has ended.
        if task.isBeingMade, exec.isEmpty { verbs.giveUpCreate(of: id) }
        task.enqueue { [self] done in
            do throws(Failure) {
                // It may have gone while this waited for its turn.
                let (_, process) = try self.process(id, exec)
                guard !process.isLive else { throw Failure(.failedPrecondition, "cannot delete a running process") }
                if exec.isEmpty { return remove(task, done, reply) }
                task.remove(exec: exec)
                endLogger(of: process)
                let exit = process.exit ?? Exit(now: 0)
                process.stop(exit)
                reply(.success((process.pid, exit)))
            } catch {
                reply(.failure(error))
            }
            done()
        }
    }

    private func remove(
        _ task: Task, _ done: @escaping () -> Void,
        _ reply: @escaping (Result<(pid: Int32, exit: Exit), Failure>) -> Void
    ) {
        verbs.run(.remove(id: task.id, bundle: task.description.bundle), task.settings) { [self] outcome in
            defer { done() }
            if case .failure(let failure) = outcome {
                log(TaskNote(.error, task.id, "delete: \(failure.message)"))
                return reply(.failure(failure))
            }
            // The ends that the deletion caused are published before the deletion is.
            reap()
            for process in task.processes.reversed() where process.exit == nil {
                owners[process.pid] = nil
                if process.pid > 0 { conclude(task, process, Exit(now: Exit.killedStatus)) }
                if process.exit == nil { process.stop(Exit(now: Exit.killedStatus)) }
            }
            for process in task.processes { endLogger(of: process) }
            tasks[task.id] = nil
            let exit = task.process.exit ?? Exit(now: Exit.killedStatus)
            publish(.deleted(id: task.id, pid: task.process.pid, exit))
            reply(.success((task.process.pid, exit)))
        }
    }

    // MARK: Ends

    /// A child of this process has ended.
    func childEnded(_ pid: Int32, _ exit: Exit) {
        loggers.remove(pid)
        guard let process = owners.removeValue(forKey: pid) else {
            // Bounded by what this process can have as children.
            if madeCount > 0 { strays[pid] = exit }
            return
        }
        guard let task = tasks[process.container] else { return }
        switch process.state {
        case .starting(let source, nil): process.state = .starting(source, end: exit)
        case .created, .running, .paused: end(task, process, exit)
        case .creating, .starting, .stopped: break
        }
    }

    /// Tells of a process's end, of a container's after that of what died with it.
    func end(_ task: Task, _ process: TaskProcess, _ exit: Exit) {
        guard process === task.process, task.hasLiveExecs else { return conclude(task, process, exit) }
        task.pendingEnd = exit
        later(Self.execEndLimit) { [self] in
            if let exit = task.pendingEnd { conclude(task, process, exit) }
        }
    }

    private func conclude(_ task: Task, _ process: TaskProcess, _ exit: Exit) {
        guard process.exit == nil else { return }
        if process === task.process {
            task.pendingEnd = nil
            if exit.status == Exit.killedStatus, !process.wasSignaled { explain(task) }
        }
        publish(.exited(id: task.id, exec: process.exec, pid: process.pid, exit))
        process.stop(exit)
        if let end = task.pendingEnd, !task.hasLiveExecs { conclude(task, task.process, end) }
    }

    /// Logs why a container was killed that this shim did not kill.
    private func explain(_ task: Task) {
        verbs.run(.explain(id: task.id), task.settings) { [self] outcome in
            guard case .success(let answer) = outcome, !answer.payload.isEmpty else { return }
            log(TaskNote(.error, task.id, String(decoding: answer.payload, as: UTF8.self)))
        }
    }

    /// The program that took the output has all of it; it has a while to be done with it.
    private func endLogger(of process: TaskProcess) {
        guard let logger = process.logger, loggers.contains(logger) else { return }
        try? Process.kill(logger, SIGTERM)
        later(.seconds(12)) { [self] in
            if loggers.contains(logger) { try? Process.kill(logger, SIGKILL) }
        }
    }
}
