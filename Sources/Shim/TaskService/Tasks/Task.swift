// SPDX-License-Identifier: Apache-2.0
/// A container of containerd's, with what was started in it beside its first process.
final class Task {
    let description: TaskDescription
    let settings: VerbSettings
    let process: TaskProcess
    /// By name.
    private(set) var execs: [String: TaskProcess] = [:]
    /// The end of its first process, kept back until those that die with it have been told of.
    var pendingEnd: Exit?
    private var queue: [(@escaping () -> Void) -> Void] = []
    private var isBusy = false

    /// One that is being made.
    init(_ description: TaskDescription, settings: VerbSettings) {
        self.description = description
        self.settings = settings
        process = TaskProcess(container: description.id, io: description.io, .creating)
    }

    var isBeingMade: Bool { if case .creating = process.state { true } else { false } }

    var id: String { description.id }

    /// - Parameter exec: empty for the first.
    func process(named exec: String) -> TaskProcess? { exec.isEmpty ? process : execs[exec] }

    var processes: [TaskProcess] { [process] + execs.values.sorted { $0.exec < $1.exec } }

    func add(_ exec: TaskProcess) { execs[exec.exec] = exec }

    func remove(exec: String) { execs[exec] = nil }

    var hasLiveExecs: Bool { execs.values.contains { $0.isLive } }

    /// Verbs change a container one after the other: `body` is called when those before it are done, with what it
    /// calls when it is.
    func enqueue(_ body: @escaping (_ done: @escaping () -> Void) -> Void) {
        queue.append(body)
        advance()
    }

    private func advance() {
        guard !isBusy, !queue.isEmpty else { return }
        isBusy = true
        queue.removeFirst()({ [self] in
            isBusy = false
            advance()
        })
    }
}
