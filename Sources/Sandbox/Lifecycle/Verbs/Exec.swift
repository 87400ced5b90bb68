// SPDX-License-Identifier: Apache-2.0
import AgentClient
import AgentProtocol
import Glibc
import Linux
import OCISpec
import ProgramArguments
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
        followCaller(&plan, request.io, detaches: request.detaches || request.consoleSocket != nil)
        plan.inheritResourceLimits()
        let caller = try callerStreams(
            request.io, hasTerminal: plan.hasTerminal, size: plan.terminalSize, consoleSocket: request.consoleSocket,
            detaches: request.detaches || request.consoleSocket != nil)
        let files = files(of: record)
        let connection = try files.connect()
        let streams = try files.connect(caller.streams)
        let name = ProcessName(container: record.id, exec: request.execID ?? Self.execID())
        plan.terminalSize = sizeOfConsole(caller, plan)
        try connection.ask(
            .exec(
                name, process: plan, streams: streams.tokens, isOwned: true, ignoresPause: request.ignoresPause),
            // In a paused container it takes as long as the pause does.
            timeout: request.ignoresPause ? nil : AgentConnection.answerTimeout)
        var arguments = Self.proxyArguments(name, connection: connection, streams: streams, caller: caller)
        arguments.stallMilliseconds = request.stallMilliseconds
        let pid = try standFor(plan, in: record, caller, arguments, detaches: request.detaches)
        try writePIDFile(pid, to: request.pidFile)
        return pid
    }

    /// Starts the process that stands for one more of the container's.
    ///
    /// - Returns: its pid; it is this process's child.
    private func standFor(
        _ plan: ProcessPlan, in record: ContainerRecord, _ caller: borrowing CallerStreams, _ arguments: ProxyArguments,
        detaches: Bool
    ) throws(RuntimeError) -> Int32 {
        let null = try Self.openNull()
        let cgroups = try CgroupDescriptors(of: record)
        let process = try StandingProcess(
            proxyProgram(caller, cgroups: cgroups, null: null.borrowed, detaches: detaches), besides: record,
            executable: try ProxyExecutable(options.parts), plan)
        // Open until the child has its copies.
        _ = consume null
        _ = consume cgroups
        try process.serve(arguments)
        return process.pid
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
            let bytes = try wrapping(
                { .processFile(path: path, $0) }, FileDescriptor.open(path, .nonBlocking).readAll(limit: Spec.byteLimit)
            )
            process = try wrapping(RuntimeError.spec, Spec.Process.parse(bytes))
        case .document(let bytes):
            process = try wrapping(RuntimeError.spec, Spec.Process.parse(bytes))
        }
        document.process = process
        try wrapping(RuntimeError.spec, document.validate())
        let unsupported = document.unsupportedFields()
        guard unsupported.isEmpty else { throw .unsupported(unsupported) }
        return try wrapping(RuntimeError.planning, ProcessPlan(process, seccomp: document.linux?.seccomp))
    }

    /// The document the container was made from, as it was then.
    func containerDocument(_ record: ContainerRecord) throws(RuntimeError) -> Spec {
        let path = "\(options.root)/\(record.id)/\(ContainerDirectory.configName)"
        let bytes = try wrapping(
            { .configuration(path: path, $0) },
            FileDescriptor.open(path, [.noFollow, .nonBlocking]).readAll(limit: Spec.byteLimit))
        return try wrapping(RuntimeError.spec, Spec.parse(bytes))
    }

    /// A name no other process of the container has.
    private static func execID() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36)
    }
}
