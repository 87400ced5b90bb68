import AgentClient
import AgentProtocol
import Glibc
import Linux
import OCISpec
import Planning
import RuntimeState
import SandboxPlan

extension Runtime {
    /// Runs one more process in a container.
    ///
    /// - Returns: its exit status as a shell would report it; 0 at once where the request detaches.
    public func exec(_ request: ExecRequest) throws(RuntimeError) -> Int32 {
        let pid = try startExec(request)
        return request.detaches ? 0 : try foreground(pid)
    }

    /// Runs one more process in a container, and returns once it runs.
    ///
    /// - Returns: the pid of the fc-proxy that stands for it, which is this process's child.
    public func startExec(_ request: ExecRequest) throws(RuntimeError) -> Int32 {
        guard request.preservedDescriptorCount == 0 else {
            throw .preservedDescriptors(request.preservedDescriptorCount)
        }
        let id = try containerID(request.id)
        let record = try record(id)
        if !request.ignoresPause || record.currentStatus != .paused { try check(.exec, record) }
        var plan = try processPlan(request, of: record, id)
        if plan.hasTerminal, let size = request.terminalSize { plan.terminalSize = size }
        plan.terminalSize = sizeOfCaller(plan, request.io, detaches: request.detaches)
        let caller = try callerStreams(
            request.io, hasTerminal: plan.hasTerminal, size: plan.terminalSize, consoleSocket: request.consoleSocket,
            detaches: request.detaches || request.consoleSocket != nil)
        let connection = try connect(to: record)
        let streams = try withGuestSocket(record) { (path, deadline) throws(AgentClientError) in
            try ProcessStreams(caller.streams, socketPath: path, deadline: deadline)
        }
        let name = ProcessName(container: record.id, exec: request.execID ?? Self.execID())
        try ask(
            connection,
            .exec(
                name, process: plan, streams: streams.tokens, isOwned: true, ignoresPause: request.ignoresPause),
            // In a paused container it takes as long as the pause does.
            timeout: request.ignoresPause ? nil : Self.answerTimeout)
        let pid = try startProxy(
            of: record, exec: name.exec, connection: connection, streams: streams, caller: caller,
            detaches: request.detaches, stallMilliseconds: request.stallMilliseconds, lifeline: nil)
        try writePIDFile(pid, to: request.pidFile)
        return pid
    }

    /// The process asked for, held against what fc-runc does, with the container's seccomp policy.
    private func processPlan(
        _ request: ExecRequest, of record: ContainerRecord, _ id: ContainerID
    ) throws(RuntimeError) -> ProcessPlan {
        var document = try containerDocument(record)
        guard var process = document.process else { throw .processMissing }
        switch request.source {
        case .container(let change):
            // As runc: only what the caller asks for has a terminal.
            process.terminal = false
            change(&process)
        case .file(let path):
            let bytes = try wrapping({ .processFile(path: path, $0) }) { () throws(Errno) in
                try FileDescriptor.open(path, .nonBlocking).readAll(limit: Spec.byteLimit)
            }
            process = try wrapping(RuntimeError.spec) { () throws(SpecError) in try Spec.Process.parse(bytes) }
        case .document(let bytes):
            process = try wrapping(RuntimeError.spec) { () throws(SpecError) in try Spec.Process.parse(bytes) }
        }
        document.process = process
        try wrapping(RuntimeError.spec) { () throws(SpecError) in try document.validate() }
        let unhonoured = document.unhonoured(inPod: record.isMember)
        guard unhonoured.isEmpty else { throw .unhonoured(unhonoured) }
        return try wrapping(RuntimeError.planning) { () throws(PlanningError) in
            try ProcessPlan(process, seccomp: document.linux?.seccomp)
        }
    }

    /// The document the container was made from, as it was then.
    func containerDocument(_ record: ContainerRecord) throws(RuntimeError) -> Spec {
        let path = "\(options.root)/\(record.id)/\(ContainerDirectory.configName)"
        let bytes = try wrapping({ .configuration(path: path, $0) }) { () throws(Errno) in
            try FileDescriptor.open(path, [.noFollow, .nonBlocking]).readAll(limit: Spec.byteLimit)
        }
        return try wrapping(RuntimeError.spec) { () throws(SpecError) in try Spec.parse(bytes) }
    }

    /// A name no other process of the container has.
    private static func execID() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36)
    }
}
