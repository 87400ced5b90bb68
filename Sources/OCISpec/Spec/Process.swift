// SPDX-License-Identifier: Apache-2.0
extension Spec {
    /// A process of the container (config.md#process): its first one, or one that `exec` adds.
    public struct Process: Equatable, Sendable {
        /// Whether the process has a terminal of its own.
        public var terminal = false
        /// The terminal's size at the start.
        public var consoleSize: ConsoleSize?
        /// Who the process runs as.
        public var user = User()
        /// The program and its arguments.
        public var args: [String] = []
        /// `NAME=value`.
        public var env: [String] = []
        /// Absolute, inside the container.
        public var cwd = ""
        /// Its capabilities; nil gives none.
        public var capabilities: Capabilities?
        /// Its resource limits.
        public var rlimits: [Rlimit] = []
        /// Whether executing a program can give it no new privileges (prctl(2)).
        public var noNewPrivileges = false
        /// The AppArmor profile it runs under.
        public var apparmorProfile = ""
        /// oom_score_adj, -1000 to 1000; nil leaves it.
        public var oomScoreAdj: Int?
        /// Its scheduling; nil leaves it.
        public var scheduler: Scheduler?
        /// The SELinux label it runs under.
        public var selinuxLabel = ""
        /// Its input and output priority; nil leaves it.
        public var ioPriority: IOPriority?
        /// Processors of a process that `exec` adds.
        public var execCPUAffinity: CPUAffinity?

        /// Every field absent or at its default.
        public init() {}

        /// Reads a process on its own, as `exec --process` takes it.
        public static func parse(_ bytes: [UInt8]) throws(SpecError) -> Process {
            try Process(json: JSONParser.parse(bytes))
        }

        /// The process as runc writes it.
        public func encoded() -> [UInt8] { JSONWriter.bytes(json, indent: "\t") }
    }
}

extension Spec.Process {
    /// In characters.
    public struct ConsoleSize: Equatable, Sendable {
        /// Rows.
        public var height: UInt = 0
        /// Columns.
        public var width: UInt = 0

        /// Every field absent or at its default.
        public init() {}
    }

    /// Ids as seen in the container.
    public struct User: Equatable, Sendable {
        /// User id.
        public var uid: UInt32 = 0
        /// Group id.
        public var gid: UInt32 = 0
        /// File mode creation mask; nil leaves it.
        public var umask: UInt32?
        /// Supplementary group ids.
        public var additionalGids: [UInt32] = []

        /// Every field absent or at its default.
        public init() {}
    }

    /// The five sets of capabilities(7), by name, as `CAP_KILL`.
    public struct Capabilities: Equatable, Sendable {
        /// What can be gained at all.
        public var bounding: [String] = []
        /// What is in force.
        public var effective: [String] = []
        /// What is kept across execve(2) of programs that ask for it.
        public var inheritable: [String] = []
        /// What can be made effective.
        public var permitted: [String] = []
        /// What is kept across execve(2) of any program.
        public var ambient: [String] = []

        /// Every field absent or at its default.
        public init() {}
    }

    /// One of getrlimit(2).
    public struct Rlimit: Equatable, Sendable {
        /// Which resource.
        public var type = RlimitType.noFile
        /// The ceiling of the soft limit; 2^64 - 1 is no limit.
        public var hard: UInt64 = 0
        /// The limit that the kernel enforces.
        public var soft: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}

        /// A limit of the resource `type`.
        public init(type: RlimitType, hard: UInt64, soft: UInt64) {
            self.type = type
            self.hard = hard
            self.soft = soft
        }
    }

    /// The resources of getrlimit(2).
    public enum RlimitType: String, Sendable, CaseIterable {
        case addressSpace = "RLIMIT_AS"
        case core = "RLIMIT_CORE"
        case cpu = "RLIMIT_CPU"
        case data = "RLIMIT_DATA"
        case fileSize = "RLIMIT_FSIZE"
        case locks = "RLIMIT_LOCKS"
        case lockedMemory = "RLIMIT_MEMLOCK"
        case messageQueue = "RLIMIT_MSGQUEUE"
        case nice = "RLIMIT_NICE"
        case noFile = "RLIMIT_NOFILE"
        case processes = "RLIMIT_NPROC"
        case residentSet = "RLIMIT_RSS"
        case realtimePriority = "RLIMIT_RTPRIO"
        case realtimeTime = "RLIMIT_RTTIME"
        case pendingSignals = "RLIMIT_SIGPENDING"
        case stack = "RLIMIT_STACK"
    }

    /// sched_setattr(2); the three times are nanoseconds.
    public struct Scheduler: Equatable, Sendable {
        /// The policy.
        public var policy = SchedulerPolicy.other
        /// The nice value, for the policies that have one.
        public var nice: Int32 = 0
        /// The static priority, for the real-time policies.
        public var priority: Int32 = 0
        /// Flags of sched_setattr(2).
        public var flags: [SchedulerFlag] = []
        /// Nanoseconds of processor time in each period, for SCHED_DEADLINE.
        public var runtime: UInt64 = 0
        /// Nanoseconds by which they must be had.
        public var deadline: UInt64 = 0
        /// Length of a period in nanoseconds.
        public var period: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}
    }

    /// The policies of sched(7).
    public enum SchedulerPolicy: String, Sendable, CaseIterable {
        case other = "SCHED_OTHER"
        case fifo = "SCHED_FIFO"
        case roundRobin = "SCHED_RR"
        case batch = "SCHED_BATCH"
        case iso = "SCHED_ISO"
        case idle = "SCHED_IDLE"
        case deadline = "SCHED_DEADLINE"
    }

    /// The flags of sched_setattr(2).
    public enum SchedulerFlag: String, Sendable, CaseIterable {
        case resetOnFork = "SCHED_FLAG_RESET_ON_FORK"
        case reclaim = "SCHED_FLAG_RECLAIM"
        case deadlineOverrun = "SCHED_FLAG_DL_OVERRUN"
        case keepPolicy = "SCHED_FLAG_KEEP_POLICY"
        case keepParameters = "SCHED_FLAG_KEEP_PARAMS"
        case clampMinimum = "SCHED_FLAG_UTIL_CLAMP_MIN"
        case clampMaximum = "SCHED_FLAG_UTIL_CLAMP_MAX"
    }

    /// ioprio_set(2).
    public struct IOPriority: Equatable, Sendable {
        /// The scheduling class.
        public var `class` = IOPriorityClass.bestEffort
        /// 0 (highest) to 7 within the class.
        public var priority = 0

        /// Every field absent or at its default.
        public init() {}
    }

    /// The classes of ioprio_set(2).
    public enum IOPriorityClass: String, Sendable, CaseIterable {
        case realtime = "IOPRIO_CLASS_RT"
        case bestEffort = "IOPRIO_CLASS_BE"
        case idle = "IOPRIO_CLASS_IDLE"
    }

    /// CPU lists as `0-3,7`, for a process that `exec` adds.
    public struct CPUAffinity: Equatable, Sendable {
        /// Processors while the runtime prepares the process.
        public var initial = ""
        /// Processors when it runs.
        public var final = ""

        /// Every field absent or at its default.
        public init() {}
    }
}

extension Spec.Process: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("terminal", &terminal)
        fields.field("consoleSize", &consoleSize)
        fields.always("user", &user)
        fields.field("args", &args, bytes: Limit.argument)
        fields.field("env", &env, bytes: Limit.argument)
        fields.required("cwd", &cwd, bytes: Limit.path)
        fields.field("capabilities", &capabilities)
        fields.field("rlimits", &rlimits)
        fields.field("noNewPrivileges", &noNewPrivileges)
        fields.unsupported("apparmorProfile", &apparmorProfile)
        fields.field("oomScoreAdj", &oomScoreAdj)
        fields.unsupported("scheduler", &scheduler)
        fields.unsupported("selinuxLabel", &selinuxLabel)
        fields.unsupported("ioPriority", &ioPriority)
        fields.unsupported("execCPUAffinity", &execCPUAffinity)
    }
}

extension Spec.Process.ConsoleSize: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.always("height", &height)
        fields.always("width", &width)
    }
}

extension Spec.Process.User: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.always("uid", &uid)
        fields.always("gid", &gid)
        fields.field("umask", &umask)
        fields.field("additionalGids", &additionalGids)
    }
}

extension Spec.Process.Rlimit: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("type", &type)
        fields.required("hard", &hard)
        fields.required("soft", &soft)
    }
}

extension Spec.Process.Scheduler: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("policy", &policy, usual: .string("SCHED_OTHER"))
        fields.field("nice", &nice)
        fields.field("priority", &priority)
        fields.field("flags", &flags)
        fields.field("runtime", &runtime)
        fields.field("deadline", &deadline)
        fields.field("period", &period)
    }
}

extension Spec.Process.IOPriority: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("class", &self.class)
        fields.always("priority", &priority)
    }
}

extension Spec.Process.CPUAffinity: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("initial", &initial)
        fields.field("final", &final)
    }
}

extension Spec.Process.RlimitType: JSONName { static var kind: String { "rlimit" } }
extension Spec.Process.SchedulerPolicy: JSONName { static var kind: String { "scheduler policy" } }
extension Spec.Process.SchedulerFlag: JSONName { static var kind: String { "scheduler flag" } }
extension Spec.Process.IOPriorityClass: JSONName { static var kind: String { "I/O priority class" } }

extension Spec.Process {
    /// Checks a process on its own, as one given to `exec`; paths in errors start at the process.
    public func validate() throws(SpecError) {
        if args.isEmpty || args[0].isEmpty { throw SpecError(args.isEmpty ? "args" : "args[0]", .empty) }
        try requireAbsolute(cwd, "cwd")
        for (index, entry) in env.enumerated() where !entry.utf8.dropFirst().contains(UInt8(ascii: "=")) {
            throw SpecError("env[\(index)]", .malformed(kind: "environment entry, NAME=value", value: entry))
        }
        try validateArgumentBytes()
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
        if let scheduler { try within("scheduler", try scheduler.validate()) }
        if let priority = ioPriority?.priority, !(0...7).contains(priority) {
            throw SpecError("ioPriority.priority", .outOfRange(found: "\(priority)", lowest: "0", highest: "7"))
        }
    }

    /// What execve(2) refuses whatever the limits.
    private func validateArgumentBytes() throws(SpecError) {
        func byteCount(_ strings: [String]) -> Int { strings.reduce(0) { $0 + $1.utf8.count + 1 + 8 } }
        let (ofArguments, ofEnvironment) = (byteCount(args), byteCount(env))
        if ofArguments + ofEnvironment > Limit.arguments {
            throw SpecError(
                ofArguments >= ofEnvironment ? "args" : "env",
                .argumentListTooLong(byteCount: ofArguments + ofEnvironment, limit: Limit.arguments))
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
