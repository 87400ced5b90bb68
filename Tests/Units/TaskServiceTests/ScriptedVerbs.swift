// SPDX-License-Identifier: Apache-2.0
import TTRPC

@testable import TaskService

/// Carries no verb out: keeps each until the test says what it came to.
final class ScriptedVerbs: VerbRunner {
    private(set) var underWay: [(verb: Verb, done: (VerbOutcome) -> Void)] = []
    /// All that were ever asked for.
    private(set) var asked: [Verb] = []

    func run(_ verb: Verb, _ settings: VerbSettings, done: @escaping (VerbOutcome) -> Void) {
        asked.append(verb)
        underWay.append((verb, done))
    }

    private(set) var givenUp: [String] = []

    func giveUpCreate(of id: String) { givenUp.append(id) }

    /// The oldest under way of this name comes to an end.
    func finish(_ name: String, _ outcome: VerbOutcome = .success(VerbAnswer())) {
        guard let index = underWay.firstIndex(where: { $0.verb.name == name }) else { return }
        underWay.remove(at: index).done(outcome)
    }

    var names: [String] { underWay.map(\.verb.name) }
}

/// A table with everything around it played by the test.
final class Stage {
    let verbs = ScriptedVerbs()
    private(set) var events: [TaskEvent] = []
    private(set) var answers: [String] = []
    private var dues: [(Duration, () -> Void)] = []
    private(set) var notes: [TaskNote] = []
    private(set) var table: TaskTable!

    init() {
        table = TaskTable(
            verbs: verbs, publish: { [unowned self] in events.append($0) },
            later: { [unowned self] in dues.append(($0, $1)) }, log: { [unowned self] in notes.append($0) })
    }

    /// Everything that was to happen later happens.
    func pass() {
        let now = dues
        dues = []
        for due in now { due.1() }
    }

    func note<Value>(_ name: String) -> (Result<Value, Failure>) -> Void {
        { [unowned self] result in
            switch result {
            case .success(let value): answers.append(value is Void ? name : "\(name) \(value)")
            case .failure(let failure): answers.append("\(name) failed \(failure.code.rawValue): \(failure.message)")
            }
        }
    }

    func takeAnswers() -> [String] {
        defer { answers = [] }
        return answers
    }

    /// The events so far, in a word each.
    func takeEvents() -> [String] {
        defer { events = [] }
        return events.map { event in
            switch event {
            case .created(let description, let pid): "create \(description.id) \(pid)"
            case .started(let id, let pid): "start \(id) \(pid)"
            case .exited(let id, let exec, let pid, let exit):
                "exit \(id)\(exec.isEmpty ? "" : "/\(exec)") \(pid) \(exit.status)"
            case .deleted(let id, let pid, let exit): "delete \(id) \(pid) \(exit.status)"
            case .execAdded(let id, let exec): "exec-added \(id)/\(exec)"
            case .execStarted(let id, let exec, let pid): "exec-started \(id)/\(exec) \(pid)"
            case .paused(let id): "paused \(id)"
            case .resumed(let id): "resumed \(id)"
            case .ranOutOfMemory(let id): "oom \(id)"
            }
        }
    }

    // MARK: What a client does

    func create(_ id: String = "c") {
        table.create(TaskDescription(id: id, bundle: "/b/\(id)"), VerbSettings(), reply: note("create"))
    }

    func start(_ id: String = "c", _ exec: String = "") { table.start(id, exec, reply: note("start")) }

    func exec(_ exec: String, in id: String = "c") {
        table.exec(id, exec, document: [1], StandardIO(), reply: note("exec"))
    }

    func delete(_ id: String = "c", _ exec: String = "") {
        table.delete(id, exec) { [unowned self] result in
            note("delete")(result.map { "\($0.pid) \($0.exit.status)" })
        }
    }

    func kill(_ id: String = "c", _ exec: String = "", _ signal: Int32 = 9) {
        table.kill(id, exec, signal: signal, all: false, reply: note("kill"))
    }

    func wait(_ id: String = "c", _ exec: String = "") throws {
        try table.process(id, exec).1.wait { [unowned self] in answers.append("wait \($0.status)") }
    }

    func ends(_ pid: Int32, _ status: UInt32) { table.childEnded(pid, Exit(now: status)) }

    /// A container that is running, its events and answers taken.
    func running(_ id: String = "c", pid: Int32 = 10) {
        create(id)
        verbs.finish("create", .success(VerbAnswer(pid: pid)))
        start(id)
        verbs.finish("start")
        _ = takeAnswers()
        _ = takeEvents()
    }

    /// A process in it that is running, likewise.
    func runningExec(_ exec: String, pid: Int32, in id: String = "c") {
        self.exec(exec, in: id)
        start(id, exec)
        verbs.finish("exec", .success(VerbAnswer(pid: pid)))
        _ = takeAnswers()
        _ = takeEvents()
    }
}

extension VerbOutcome {
    static func failed(_ code: StatusCode, _ message: String = "no") -> VerbOutcome {
        .failure(Failure(code, message))
    }
}
