// SPDX-License-Identifier: Apache-2.0
extension Spec.Linux {
    /// A filter of system calls (config-linux.md#seccomp).
    public struct Seccomp: Equatable, Sendable {
        /// What is done when no rule matches.
        public var defaultAction = Action.allow
        /// EPERM when absent.
        public var defaultErrnoRet: UInt?
        /// Architectures the filter is for, beside the machine's own.
        public var architectures: [Architecture] = []
        /// Flags of seccomp(2).
        public var flags: [Flag] = []
        /// The socket that a `notify` filter's descriptor is sent to.
        public var listenerPath = ""
        /// Passed to that listener as it is.
        public var listenerMetadata = ""
        /// The rules, in order.
        public var syscalls: [Rule] = []

        /// Every field absent or at its default.
        public init() {}
    }
}

extension Spec.Linux.Seccomp {
    /// What is done when one of `names` is called with arguments that meet all of `args`.
    public struct Rule: Equatable, Sendable {
        /// Names of system calls.
        public var names: [String] = []
        /// What is done.
        public var action = Action.allow
        /// The error returned, for actions that return one; EPERM when absent.
        public var errnoRet: UInt?
        /// Comparisons that must all hold; none for any arguments.
        public var args: [Argument] = []

        /// Every field absent or at its default.
        public init() {}
    }

    /// One comparison of an argument of a system call.
    public struct Argument: Equatable, Sendable {
        /// Which argument, from 0 to 5.
        public var index: UInt = 0
        /// What it is compared with.
        public var value: UInt64 = 0
        /// What is compared with under the mask `value`, for `maskedEqual`.
        public var valueTwo: UInt64 = 0
        /// How it is compared.
        public var op = Operator.equal

        /// Every field absent or at its default.
        public init() {}
    }

    /// What a filter does with a call (seccomp_init(3)).
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

    /// How an argument is compared (seccomp_rule_add(3)).
    public enum Operator: String, Sendable, CaseIterable {
        case notEqual = "SCMP_CMP_NE"
        case less = "SCMP_CMP_LT"
        case lessOrEqual = "SCMP_CMP_LE"
        case equal = "SCMP_CMP_EQ"
        case greaterOrEqual = "SCMP_CMP_GE"
        case greater = "SCMP_CMP_GT"
        case maskedEqual = "SCMP_CMP_MASKED_EQ"
    }

    /// Flags of seccomp(2).
    public enum Flag: String, Sendable, CaseIterable {
        case threadSync = "SECCOMP_FILTER_FLAG_TSYNC"
        case log = "SECCOMP_FILTER_FLAG_LOG"
        case allowSpeculation = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
        case waitKillable = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
    }

    /// Architectures libseccomp knows (seccomp_arch_add(3)).
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
        fields.unsupported("listenerPath", &listenerPath, bytes: Limit.path)
        fields.unsupported("listenerMetadata", &listenerMetadata)
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

extension Spec.Linux.Seccomp {
    func validate() throws(SpecError) {
        if let errno = defaultErrnoRet, errno > 4095 { throw Self.badErrno(errno, "defaultErrnoRet") }
        if listenerPath.isEmpty, !listenerMetadata.isEmpty {
            throw SpecError("listenerMetadata", .onlyWith("listenerPath"))
        }
        if !listenerPath.isEmpty { try requireAbsolute(listenerPath, "listenerPath") }
        // As runc: the agent that answers could not be reached to say so.
        if defaultAction == .notify {
            throw SpecError("defaultAction", .malformed(kind: "default action", value: defaultAction.rawValue))
        }
        for (index, rule) in syscalls.enumerated() {
            if rule.names.isEmpty { throw SpecError("syscalls[\(index)].names", .empty) }
            if let name = rule.names.firstIndex(of: "") { throw SpecError("syscalls[\(index)].names[\(name)]", .empty) }
            if let errno = rule.errnoRet, errno > 4095 { throw Self.badErrno(errno, "syscalls[\(index)].errnoRet") }
            if rule.action == .notify, listenerPath.isEmpty {
                throw SpecError("syscalls[\(index)].action", .onlyWith("listenerPath"))
            }
            for (position, argument) in rule.args.enumerated() where argument.index > 5 {
                throw SpecError(
                    "syscalls[\(index)].args[\(position)].index",
                    .outOfRange(found: "\(argument.index)", lowest: "0", highest: "5"))
            }
        }
    }

    /// MAX_ERRNO of the kernel is 4095.
    private static func badErrno(_ errno: UInt, _ field: String) -> SpecError {
        SpecError(field, .outOfRange(found: "\(errno)", lowest: "0", highest: "4095"))
    }
}
