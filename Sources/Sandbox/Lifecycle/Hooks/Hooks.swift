// SPDX-License-Identifier: Apache-2.0
import Linux
import OCISpec
import RuntimeState

extension Runtime {
    /// Runs the hooks of `kind` in the document's order, in the namespaces of this process, up to the first that fails.
    ///
    /// - Parameter pid: of the process that stands for the container's; 0 once that process has gone.
    /// - Returns: which failed and why, in runc's words; nil where none did.
    static func runHooks(_ kind: HookKind, of record: ContainerRecord, _ spec: Spec, pid: Int32) -> String? {
        for index in kind.hooks(of: spec).indices {
            if let problem = runHook(kind, index, of: record, spec, pid: pid) { return problem }
        }
        return nil
    }

    private static func runHook(
        _ kind: HookKind, _ index: Int, of record: ContainerRecord, _ spec: Spec, pid: Int32
    ) -> String? {
        let run = HookRun(hook: kind.hooks(of: spec)[index], state: state(kind, record, pid: pid))
        return run.run(in: record.bundle).map { "error running \(kind.rawValue) hook #\(index): \($0)" }
    }

    private static func state(_ kind: HookKind, _ record: ContainerRecord, pid: Int32) -> [UInt8] {
        var state = State(id: record.id, pid: Int(pid), status: kind.status, bundle: record.bundle)
        state.ociVersion = record.ociVersion
        state.rootfs = record.rootfs
        state.created = record.created
        state.annotations = record.annotations
        return state.encoded()
    }

    /// Those of the start of a container, whose programs are in it: they run there as its own process will, as its user
    /// and with its capabilities.
    func runStartHooks(of record: ContainerRecord, _ spec: Spec) throws(RuntimeError) {
        for (index, hook) in HookKind.startContainer.hooks(of: spec).enumerated() {
            let run = HookRun(hook: hook, state: Self.state(.startContainer, record, pid: record.process?.pid ?? 0))
            let problem = run.run { (streams) throws(RuntimeError) in
                var request = ExecRequest(
                    id: record.id,
                    source: .container { process in
                        // The agent finds a program by its first argument, so that this one's name is its path.
                        process.args = [hook.path] + hook.args.dropFirst()
                        // As in runc, one without an environment has the container's.
                        if !hook.env.isEmpty { process.env = hook.env }
                    })
                request.io = .descriptors(input: streams.input, output: streams.output, error: streams.error)
                // What it leaves unread in the pipes is not waited for.
                request.stallMilliseconds = 1000
                return try startExec(request)
            }
            if let problem { throw .hook("error running startContainer hook #\(index): \(problem)") }
        }
    }

    /// Those of the making of a container whose namespaces are there: the host's first, then the container's.
    func runCreationHooks(
        _ standIn: borrowing StandIn, of record: ContainerRecord, _ spec: Spec
    ) throws(RuntimeError) {
        for kind in [HookKind.prestart, .createRuntime] {
            if let problem = Self.runHooks(kind, of: record, spec, pid: standIn.process.pid) { throw .hook(problem) }
        }
        if !HookKind.createContainer.hooks(of: spec).isEmpty { try standIn.runHooks() }
    }

    /// Those of the end of a container. One that fails is warned of, and keeps none from running.
    func runPoststopHooks(of record: ContainerRecord, _ spec: Spec) {
        for index in HookKind.poststop.hooks(of: spec).indices {
            if let problem = Self.runHook(.poststop, index, of: record, spec, pid: 0) { log(.warning, problem) }
        }
    }
}
