// SPDX-License-Identifier: Apache-2.0
/// A seccomp policy, in the terms of the OCI document (config-linux.md#seccomp) and of libseccomp.
public struct SeccompProfile: Sendable {
    /// What happens to a system call. Values as the kernel returns them from a filter, seccomp(2).
    public struct Action: Hashable, Sendable {
        /// SECCOMP_RET_*, with its data.
        public let rawValue: UInt32

        /// SECCOMP_RET_KILL_PROCESS.
        public static let killProcess = Action(rawValue: 0x8000_0000)
        /// SECCOMP_RET_KILL_THREAD.
        public static let killThread = Action(rawValue: 0)
        /// SECCOMP_RET_TRAP: SIGSYS.
        public static let trap = Action(rawValue: 0x0003_0000)
        /// SECCOMP_RET_LOG.
        public static let log = Action(rawValue: 0x7ffc_0000)
        /// SECCOMP_RET_ALLOW.
        public static let allow = Action(rawValue: 0x7fff_0000)
        /// SECCOMP_RET_ERRNO: the call fails with `number`.
        public static func errno(_ number: UInt32) -> Action { Action(rawValue: 0x0005_0000 | (number & 0xffff)) }
        /// SECCOMP_RET_TRACE, with `number` as the tracer's message.
        public static func trace(_ number: UInt32) -> Action { Action(rawValue: 0x7ff0_0000 | (number & 0xffff)) }
    }

    /// How an argument is compared, seccomp_rule_add(3).
    public enum Comparison: UInt32, Sendable {
        case notEqual = 1
        case less = 2
        case lessOrEqual = 3
        case equal = 4
        case greaterOrEqual = 5
        case greater = 6
        /// `value` is the mask and `second` what must remain.
        case maskedEqual = 7
    }

    /// One condition on one argument.
    public struct Condition: Hashable, Sendable {
        /// 0 to 5.
        public var argument: UInt32
        /// How the argument is compared with ``value``.
        public var comparison: Comparison
        /// What the argument is compared with, or the mask.
        public var value: UInt64
        /// What remains after the mask, for ``Comparison/maskedEqual``.
        public var second: UInt64

        /// A condition; `second` is for ``Comparison/maskedEqual`` alone.
        public init(argument: UInt32, comparison: Comparison, value: UInt64, second: UInt64) {
            self.argument = argument
            self.comparison = comparison
            self.value = value
            self.second = second
        }
    }

    /// `action` for each system call of `names` for which every condition holds.
    public struct Rule: Hashable, Sendable {
        /// Of system calls.
        public var names: [String]
        /// What happens to the calls.
        public var action: Action
        /// All must hold.
        public var conditions: [Condition]

        /// A rule, of no conditions unless some are given.
        public init(names: [String], action: Action, conditions: [Condition] = []) {
            self.names = names
            self.action = action
            self.conditions = conditions
        }
    }

    /// What happens to a call that no rule is for.
    public var defaultAction: Action
    /// Names as libseccomp has them (`x86_64`, `x86`, `x32`), besides the native one.
    public var architectures: [String]
    /// In the order of the document.
    public var rules: [Rule]

    /// A profile, of the native architecture unless others are given.
    public init(defaultAction: Action, architectures: [String] = [], rules: [Rule] = []) {
        self.defaultAction = defaultAction
        self.architectures = architectures
        self.rules = rules
    }
}
