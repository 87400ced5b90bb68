extension Spec.Process {
    /// Checks a process on its own, as one given to `exec`; paths in errors start at the process.
    public func validate() throws(SpecError) {
        if args.isEmpty || args[0].isEmpty { throw SpecError(args.isEmpty ? "args" : "args[0]", .empty) }
        try requireAbsolute(cwd, "cwd")
        for (index, entry) in env.enumerated() where !entry.utf8.dropFirst().contains(UInt8(ascii: "=")) {
            throw SpecError("env[\(index)]", .malformed(kind: "environment entry, NAME=value", value: entry))
        }
        if let size = consoleSize {
            // struct winsize has 16 bits for each.
            for (field, cells) in [("height", size.height), ("width", size.width)] where cells > 65535 {
                throw SpecError("consoleSize.\(field)", .outOfRange(found: "\(cells)", lowest: "0", highest: "65535"))
            }
        }
        if let umask = user.umask, umask > 0o777 {
            throw SpecError("user.umask", .outOfRange(found: "\(umask)", lowest: "0", highest: "\(0o777)"))
        }
        if user.additionalGids.count > Limit.groups {
            throw SpecError("user.additionalGids", .tooMany(count: user.additionalGids.count, limit: Limit.groups))
        }
        // -1 means "leave it" to the kernel and is no id.
        if user.uid == .max { throw SpecError("user.uid", .malformed(kind: "id", value: "\(user.uid)")) }
        if user.gid == .max { throw SpecError("user.gid", .malformed(kind: "id", value: "\(user.gid)")) }
        if let index = user.additionalGids.firstIndex(of: .max) {
            throw SpecError("user.additionalGids[\(index)]", .malformed(kind: "id", value: "\(UInt32.max)"))
        }
        try validateRlimits()
        if let score = oomScoreAdj, !(-1000...1000).contains(score) {
            throw SpecError("oomScoreAdj", .outOfRange(found: "\(score)", lowest: "-1000", highest: "1000"))
        }
        if let scheduler { try within("scheduler") { () throws(SpecError) in try scheduler.validate() } }
        if let priority = ioPriority?.priority, !(0...7).contains(priority) {
            throw SpecError("ioPriority.priority", .outOfRange(found: "\(priority)", lowest: "0", highest: "7"))
        }
    }

    private func validateRlimits() throws(SpecError) {
        var seen: Set<RlimitType> = []
        for (index, rlimit) in rlimits.enumerated() {
            if !seen.insert(rlimit.type).inserted {
                throw SpecError("rlimits[\(index)].type", .duplicate(kind: "rlimit", value: rlimit.type.rawValue))
            }
            if rlimit.soft > rlimit.hard {
                throw SpecError("rlimits[\(index)]", .softLimitAboveHard(soft: rlimit.soft, hard: rlimit.hard))
            }
        }
    }
}

extension Spec.Process.Scheduler {
    func validate() throws(SpecError) {
        if !(-20...19).contains(nice) {
            throw SpecError("nice", .outOfRange(found: "\(nice)", lowest: "-20", highest: "19"))
        }
        if priority != 0, policy != .fifo, policy != .roundRobin {
            throw SpecError("priority", .onlyWith("SCHED_FIFO or SCHED_RR"))
        }
        for (field, value) in [("runtime", runtime), ("deadline", deadline), ("period", period)]
        where value != 0 && policy != .deadline {
            throw SpecError(field, .onlyWith("SCHED_DEADLINE"))
        }
    }
}

/// The capabilities this runtime knows, in the kernel's order (capability.h): the index is the number.
public enum CapabilityNames {
    public static let all = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
        "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
        "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
        "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
        "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
        "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ]
}

extension Spec.Process.Capabilities {
    /// The names no kernel this runtime knows of has, each once, sorted. As under runc they are ignored with a
    /// warning: a newer engine may write the name of a newer capability.
    public var unknownNames: [String] {
        let known = Set(CapabilityNames.all)
        return Set(bounding + effective + inheritable + permitted + ambient).subtracting(known).sorted()
    }
}
