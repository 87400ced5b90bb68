extension Spec.Linux {
    /// A filter of system calls (config-linux.md#seccomp).
    public struct Seccomp: Equatable, Sendable {
        public var defaultAction = Action.allow
        /// EPERM when absent.
        public var defaultErrnoRet: UInt?
        public var architectures: [Architecture] = []
        public var flags: [Flag] = []
        public var listenerPath = ""
        public var listenerMetadata = ""
        public var syscalls: [Rule] = []

        public init() {}
    }
}

extension Spec.Linux.Seccomp {
    /// What is done when one of `names` is called with arguments that meet all of `args`.
    public struct Rule: Equatable, Sendable {
        public var names: [String] = []
        public var action = Action.allow
        public var errnoRet: UInt?
        public var args: [Argument] = []

        public init() {}
    }

    public struct Argument: Equatable, Sendable {
        /// Which argument, from 0 to 5.
        public var index: UInt = 0
        public var value: UInt64 = 0
        /// What is compared with under the mask `value`, for `maskedEqual`.
        public var valueTwo: UInt64 = 0
        public var op = Operator.equal

        public init() {}
    }

    public enum Action: String, Sendable, CaseIterable {
        case kill = "SCMP_ACT_KILL"
        case killProcess = "SCMP_ACT_KILL_PROCESS"
        case killThread = "SCMP_ACT_KILL_THREAD"
        case trap = "SCMP_ACT_TRAP"
        case errno = "SCMP_ACT_ERRNO"
        case trace = "SCMP_ACT_TRACE"
        case allow = "SCMP_ACT_ALLOW"
        case log = "SCMP_ACT_LOG"
        case notify = "SCMP_ACT_NOTIFY"
    }

    public enum Operator: String, Sendable, CaseIterable {
        case notEqual = "SCMP_CMP_NE"
        case less = "SCMP_CMP_LT"
        case lessOrEqual = "SCMP_CMP_LE"
        case equal = "SCMP_CMP_EQ"
        case greaterOrEqual = "SCMP_CMP_GE"
        case greater = "SCMP_CMP_GT"
        case maskedEqual = "SCMP_CMP_MASKED_EQ"
    }

    public enum Flag: String, Sendable, CaseIterable {
        case threadSync = "SECCOMP_FILTER_FLAG_TSYNC"
        case log = "SECCOMP_FILTER_FLAG_LOG"
        case allowSpeculation = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
        case waitKillable = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
    }

    public enum Architecture: String, Sendable, CaseIterable {
        case x86 = "SCMP_ARCH_X86"
        case amd64 = "SCMP_ARCH_X86_64"
        case x32 = "SCMP_ARCH_X32"
        case arm = "SCMP_ARCH_ARM"
        case aarch64 = "SCMP_ARCH_AARCH64"
        case loongarch64 = "SCMP_ARCH_LOONGARCH64"
        case m68k = "SCMP_ARCH_M68K"
        case mips = "SCMP_ARCH_MIPS"
        case mips64 = "SCMP_ARCH_MIPS64"
        case mips64n32 = "SCMP_ARCH_MIPS64N32"
        case mipsel = "SCMP_ARCH_MIPSEL"
        case mipsel64 = "SCMP_ARCH_MIPSEL64"
        case mipsel64n32 = "SCMP_ARCH_MIPSEL64N32"
        case ppc = "SCMP_ARCH_PPC"
        case ppc64 = "SCMP_ARCH_PPC64"
        case ppc64le = "SCMP_ARCH_PPC64LE"
        case s390 = "SCMP_ARCH_S390"
        case s390x = "SCMP_ARCH_S390X"
        case parisc = "SCMP_ARCH_PARISC"
        case parisc64 = "SCMP_ARCH_PARISC64"
        case riscv64 = "SCMP_ARCH_RISCV64"
        case superH = "SCMP_ARCH_SH"
        case superHBigEndian = "SCMP_ARCH_SHEB"
    }
}

extension Spec.Linux.Seccomp: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("defaultAction", &defaultAction)
        fields.field("defaultErrnoRet", &defaultErrnoRet)
        fields.field("architectures", &architectures)
        fields.field("flags", &flags)
        fields.field("listenerPath", &listenerPath, bytes: Limit.path)
        fields.field("listenerMetadata", &listenerMetadata)
        fields.field("syscalls", &syscalls)
    }
}

extension Spec.Linux.Seccomp.Rule: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("names", &names)
        fields.required("action", &action)
        fields.field("errnoRet", &errnoRet)
        fields.field("args", &args)
    }
}

extension Spec.Linux.Seccomp.Argument: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("index", &index)
        fields.required("value", &value)
        fields.field("valueTwo", &valueTwo)
        fields.required("op", &op)
    }
}

extension Spec.Linux.Seccomp.Action: JSONName { static var kind: String { "seccomp action" } }
extension Spec.Linux.Seccomp.Operator: JSONName { static var kind: String { "seccomp operator" } }
extension Spec.Linux.Seccomp.Flag: JSONName { static var kind: String { "seccomp flag" } }
extension Spec.Linux.Seccomp.Architecture: JSONName { static var kind: String { "seccomp architecture" } }
