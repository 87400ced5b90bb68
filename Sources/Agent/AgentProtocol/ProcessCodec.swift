import CAgentProtocol
import SandboxPlan

extension ProcessPlan {
    func encoded(in arena: EncodingArena) throws(AgentProtocolError) -> UnsafeMutablePointer<Fcrunc__Agent__Process> {
        var message = unsafe Fcrunc__Agent__Process()
        unsafe fcrunc__agent__process__init(&message)
        unsafe message.n_arguments = arguments.count
        unsafe message.arguments = try arena.strings(arguments, "process.arguments")
        unsafe message.n_environment = environment.count
        unsafe message.environment = try arena.strings(environment, "process.environment")
        unsafe message.working_directory = try arena.string(workingDirectory, "process.working_directory")
        unsafe message.uid = user.uid
        unsafe message.gid = user.gid
        unsafe message.n_additional_groups = user.additionalGroups.count
        unsafe message.additional_groups = arena.list(user.additionalGroups)
        unsafe message.umask = user.umask ?? 0
        unsafe message.has_umask = user.umask == nil ? 0 : 1
        unsafe message.has_terminal = hasTerminal ? 1 : 0
        unsafe message.terminal_rows = UInt32(terminalSize?.rows ?? 0)
        unsafe message.terminal_columns = UInt32(terminalSize?.columns ?? 0)
        var limits: [UnsafeMutablePointer<Fcrunc__Agent__ResourceLimit>] = unsafe []
        for limit in resourceLimits {
            var entry = unsafe Fcrunc__Agent__ResourceLimit()
            unsafe fcrunc__agent__resource_limit__init(&entry)
            unsafe entry.resource = limit.resource
            unsafe entry.soft = limit.soft
            unsafe entry.hard = limit.hard
            unsafe limits.append(arena.place(entry))
        }
        unsafe message.n_resource_limits = limits.count
        unsafe message.resource_limits = arena.list(limits)
        var sets = unsafe Fcrunc__Agent__Capabilities()
        unsafe fcrunc__agent__capabilities__init(&sets)
        unsafe sets.bounding = capabilities.bounding
        unsafe sets.effective = capabilities.effective
        unsafe sets.permitted = capabilities.permitted
        unsafe sets.inheritable = capabilities.inheritable
        unsafe sets.ambient = capabilities.ambient
        unsafe message.capabilities = arena.place(sets)
        unsafe message.no_new_privileges = noNewPrivileges ? 1 : 0
        unsafe message.oom_score_adjustment = oomScoreAdjustment ?? 0
        unsafe message.has_oom_score_adjustment = oomScoreAdjustment == nil ? 0 : 1
        if let seccomp {
            unsafe message.seccomp_program = arena.bytes(seccomp.program)
            unsafe message.seccomp_flags = seccomp.flags
        }
        return unsafe arena.place(message)
    }

    init(_ pointer: UnsafeMutablePointer<Fcrunc__Agent__Process>?, _ field: String) throws(AgentProtocolError) {
        guard let message = unsafe pointer?.pointee else { throw .missing(field: field) }
        self.init(
            arguments: try unsafe Wire.strings(
                message.arguments, message.n_arguments, "process.arguments", limit: ListLimit.strings),
            environment: try unsafe Wire.strings(
                message.environment, message.n_environment, "process.environment", limit: ListLimit.strings),
            workingDirectory: try unsafe Wire.string(message.working_directory, "process.working_directory"))
        if arguments.isEmpty { throw .missing(field: "process.arguments") }
        unsafe user.uid = message.uid
        unsafe user.gid = message.gid
        let groupCount = unsafe message.n_additional_groups
        guard groupCount <= ListLimit.groups else {
            throw .tooMany(field: "process.additional_groups", count: groupCount, limit: ListLimit.groups)
        }
        for index in 0..<groupCount { unsafe user.additionalGroups.append(message.additional_groups[index]) }
        if unsafe message.has_umask != 0 { user.umask = unsafe message.umask }
        hasTerminal = unsafe message.has_terminal != 0
        terminalSize = try TerminalSize(
            rows: unsafe message.terminal_rows, columns: unsafe message.terminal_columns, "process.terminal")
        resourceLimits = try unsafe Wire.list(
            message.resource_limits, message.n_resource_limits, "process.resource_limits", limit: ListLimit.entries
        ) { limit in
            unsafe ResourceLimit(
                resource: limit.pointee.resource, soft: limit.pointee.soft, hard: limit.pointee.hard)
        }
        guard let sets = unsafe message.capabilities?.pointee else { throw .missing(field: "process.capabilities") }
        unsafe capabilities.bounding = sets.bounding
        unsafe capabilities.effective = sets.effective
        unsafe capabilities.permitted = sets.permitted
        unsafe capabilities.inheritable = sets.inheritable
        unsafe capabilities.ambient = sets.ambient
        noNewPrivileges = unsafe message.no_new_privileges != 0
        if unsafe message.has_oom_score_adjustment != 0 {
            oomScoreAdjustment = unsafe message.oom_score_adjustment
        }
        let program = unsafe Wire.bytes(message.seccomp_program)
        if !program.isEmpty {
            guard program.count.isMultiple(of: 8), program.count <= 8 * 4096 else {
                throw .wrongByteCount(field: "process.seccomp_program", byteCount: program.count)
            }
            seccomp = SeccompPlan(program: program, flags: unsafe message.seccomp_flags)
        }
    }
}

extension TerminalSize {
    /// nil for 0 by 0, which says nothing.
    init?(rows: UInt32, columns: UInt32, _ field: String) throws(AgentProtocolError) {
        guard let rows = UInt16(exactly: rows) else { throw .outOfRange(field: field + "_rows", value: Int64(rows)) }
        guard let columns = UInt16(exactly: columns) else {
            throw .outOfRange(field: field + "_columns", value: Int64(columns))
        }
        if rows == 0, columns == 0 { return nil }
        self.init(rows: rows, columns: columns)
    }
}
