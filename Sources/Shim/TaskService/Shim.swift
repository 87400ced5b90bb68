// SPDX-License-Identifier: Apache-2.0
import Handshake
import Linux
import TTRPC
import TaskProtocol

/// The long-lived process: one for a container, or for a pod. Serves containerd's requests, and tells it what happens.
final class Shim {
    /// How long the end waits for containerd to take what is left of the news, and for answers to be read.
    static let drainTimeout = Duration.seconds(10)
    static let forwardTimeout = Duration.seconds(5)

    /// How long a shim stays that has no container: containerd has forgotten it, as when it was killed before it
    /// asked for one, or it would have asked it to end.
    static let forgottenTimeout = Duration.seconds(15)

    private let loop: ShimLoop
    private let children: Children
    private let calls: ForkedCalls
    private let server: Server
    private let client: Client
    private let events: EventQueue
    private let table: TaskTable
    private let log: ShimLog
    private let isIdle: () -> Bool
    private var idleTimer: ShimLoop.Timer?

    init(_ invocation: Invocation, listener: consuming FileDescriptor) throws(Errno) {
        let loop = try ShimLoop()
        let children = try Children()
        let log = ShimLog(namespace: invocation.namespace, sandbox: invocation.id, isDebug: invocation.isDebug)
        let client = try Client(path: invocation.ttrpcAddress)
        let events = EventQueue(
            send: { event, done in
                client.call(
                    service: ServiceName.events, method: EventsMethod.forward, payload: event.bytes,
                    timeout: Self.forwardTimeout
                ) { result in done(result.map { _ in () }) }
            },
            later: { delay, body in loop.after(delay, body) },
            log: { log.write(TaskNote(.warning, "", $0)) })
        let calls = ForkedCalls(loop: loop)
        let verbs = RuntimeVerbs(calls: calls, log: log)
        var silent: Set<String> = []
        let table = TaskTable(
            verbs: verbs,
            publish: { event in
                // A sandbox of the Sandbox service is known to no client as a task.
                if case .created(let description, _) = event, description.sandbox != nil { silent.insert(event.id) }
                if silent.contains(event.id) {
                    if case .deleted = event { silent.remove(event.id) }
                    return
                }
                events.publish(EventQueue.Event(event, namespace: invocation.namespace))
            },
            later: { delay, body in loop.after(delay, body) }, log: log.write)
        let sandboxes = SandboxRequests(
            table: table, later: { delay, body in loop.after(delay, body) }, shutdown: loop.stop)
        let tasks = TaskRequests(table: table) { if sandboxes.isEmpty { loop.stop() } }
        isIdle = { table.isEmpty && sandboxes.isEmpty }
        var limits = ServerLimits()
        // containerd has one for each container of a pod.
        limits.connections = TaskTable.taskLimit
        server = try Server(listener: listener, limits: limits) { call in
            switch call.service {
            case ServiceName.task2, ServiceName.task3: tasks.handle(call)
            case ServiceName.sandbox: sandboxes.handle(call)
            default: call.fail(Failure(.unimplemented, "service \(call.service) is not known"))
            }
        }
        self.loop = loop
        self.children = children
        self.calls = calls
        self.client = client
        self.events = events
        self.table = table
        self.log = log
        try connect()
    }

    private func connect() throws(Errno) {
        children.onEnd = { [table, calls] pid, status in
            calls.childEnded(pid)
            table.childEnded(pid, Exit(now: UInt32(status.shellCode)))
        }
        children.onTermination = { [isIdle, loop, log] in
            // Containers outlive the shim that manages them: only an idle shim goes.
            if isIdle() { return loop.stop() }
            log.write(TaskNote(.info, "", "SIGTERM is passed over: there are containers"))
        }
        try children.join(loop)
        table.reap = children.reap
        table.onAgent = { [table, loop, log] connection in
            do {
                _ = try AgentWatch(connection, loop: loop) { id in
                    if table.tasks[id] != nil { table.publish(.ranOutOfMemory(id: id)) }
                }
            } catch {
                log.write(TaskNote(.warning, "", "no news of memory that runs out: \(error)"))
            }
        }
        try loop.add(server.descriptor) { [server] in server.work(now: $0) }
        try loop.add(client.descriptor) { [client] in client.work(now: $0) }
    }

    /// Ends the shim where it has no use for long: containerd has forgotten it then.
    private func endIfForgotten() {
        idleTimer.map(loop.cancel)
        idleTimer = loop.after(Self.forgottenTimeout) { [isIdle, loop] in
            if isIdle() { loop.stop() }
        }
    }

    /// Serves until containerd wants it to end, and everything has been delivered.
    func serve() throws(Errno) {
        endIfForgotten()
        table.onEmpty = { [unowned self] in endIfForgotten() }
        loop.whenQuiet = Process.releaseCode
        try loop.run()
        server.stopListening()
        let deadline = Deadline(after: Self.drainTimeout)
        while server.hasPending || !events.isEmpty, !deadline.hasPassed {
            try loop.turn(limit: .milliseconds(100))
        }
    }
}
