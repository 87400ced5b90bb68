extension Spec {
    /// A process of the container (config.md#process): its first one, or one that `exec` adds.
    public struct Process: Equatable, Sendable {
        public var terminal = false
        public var consoleSize: ConsoleSize?
        public var user = User()
        public var args: [String] = []
        /// `NAME=value`.
        public var env: [String] = []
        /// Absolute, inside the container.
        public var cwd = ""
        public var capabilities: Capabilities?
        public var rlimits: [Rlimit] = []
        public var noNewPrivileges = false
        public var apparmorProfile = ""
        public var oomScoreAdj: Int?
        public var scheduler: Scheduler?
        public var selinuxLabel = ""
        public var ioPriority: IOPriority?
        public var execCPUAffinity: CPUAffinity?

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
        public var height: UInt = 0
        public var width: UInt = 0

        public init() {}
    }

    /// Ids as seen in the container.
    public struct User: Equatable, Sendable {
        public var uid: UInt32 = 0
        public var gid: UInt32 = 0
        public var umask: UInt32?
        public var additionalGids: [UInt32] = []

        public init() {}
    }

    /// The five sets of capabilities(7), by name, as `CAP_KILL`.
    public struct Capabilities: Equatable, Sendable {
        public var bounding: [String] = []
        public var effective: [String] = []
        public var inheritable: [String] = []
        public var permitted: [String] = []
        public var ambient: [String] = []

        public init() {}
    }

    /// One of getrlimit(2).
    public struct Rlimit: Equatable, Sendable {
        public var type = RlimitType.noFile
        public var hard: UInt64 = 0
        public var soft: UInt64 = 0

        public init() {}

        public init(type: RlimitType, hard: UInt64, soft: UInt64) {
            self.type = type
            self.hard = hard
            self.soft = soft
        }
    }

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
        public var policy = SchedulerPolicy.other
        public var nice: Int32 = 0
        public var priority: Int32 = 0
        public var flags: [SchedulerFlag] = []
        public var runtime: UInt64 = 0
        public var deadline: UInt64 = 0
        public var period: UInt64 = 0

        public init() {}
    }

    public enum SchedulerPolicy: String, Sendable, CaseIterable {
        case other = "SCHED_OTHER"
        case fifo = "SCHED_FIFO"
        case roundRobin = "SCHED_RR"
        case batch = "SCHED_BATCH"
        case iso = "SCHED_ISO"
        case idle = "SCHED_IDLE"
        case deadline = "SCHED_DEADLINE"
    }

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
        public var `class` = IOPriorityClass.bestEffort
        public var priority = 0

        public init() {}
    }

    public enum IOPriorityClass: String, Sendable, CaseIterable {
        case realtime = "IOPRIO_CLASS_RT"
        case bestEffort = "IOPRIO_CLASS_BE"
        case idle = "IOPRIO_CLASS_IDLE"
    }

    /// CPU lists as `0-3,7`, for a process that `exec` adds.
    public struct CPUAffinity: Equatable, Sendable {
        public var initial = ""
        public var final = ""

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
        fields.field("apparmorProfile", &apparmorProfile)
        fields.field("oomScoreAdj", &oomScoreAdj)
        fields.field("scheduler", &scheduler)
        fields.field("selinuxLabel", &selinuxLabel)
        fields.field("ioPriority", &ioPriority)
        fields.field("execCPUAffinity", &execCPUAffinity)
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

extension Spec.Process.Capabilities: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("bounding", &bounding)
        fields.field("effective", &effective)
        fields.field("inheritable", &inheritable)
        fields.field("permitted", &permitted)
        fields.field("ambient", &ambient)
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
        fields.required("policy", &policy)
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
