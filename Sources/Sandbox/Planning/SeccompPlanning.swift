// SPDX-License-Identifier: Apache-2.0
import OCISpec
import SandboxPlan
import Seccomp

extension SeccompPlan {
    /// The document's policy, compiled on the host: the guest gets a program and needs no compiler of its own.
    init(_ policy: Spec.Linux.Seccomp) throws(PlanningError) {
        var profile = SeccompProfile(
            defaultAction: try policy.defaultAction.compiled(errno: policy.defaultErrnoRet),
            architectures: policy.architectures.map(\.libseccompName))
        for (index, rule) in policy.syscalls.enumerated() {
            let conditions = try rule.args.map { (argument) throws(PlanningError) in
                guard argument.index < 6 else {
                    throw .field(
                        path: "linux.seccomp.syscalls[\(index)].args", problem: "a system call has six arguments")
                }
                return SeccompProfile.Condition(
                    argument: UInt32(argument.index), comparison: argument.op.compiled, value: argument.value,
                    second: argument.valueTwo)
            }
            profile.rules.append(
                SeccompProfile.Rule(
                    names: rule.names, action: try rule.action.compiled(errno: rule.errnoRet), conditions: conditions))
        }
        do {
            self.init(program: try profile.compile(), flags: policy.flags.reduce(0) { $0 | $1.bit })
        } catch {
            throw .seccomp("\(error)")
        }
    }
}

extension Spec.Linux.Seccomp.Action {
    func compiled(errno: UInt?) throws(PlanningError) -> SeccompProfile.Action {
        // EPERM, as the runtime-spec has it.
        let number = UInt32(clamping: errno ?? 1)
        switch self {
        case .kill, .killThread: return .killThread
        case .killProcess: return .killProcess
        case .trap: return .trap
        case .errno: return .errno(number)
        case .trace: return .trace(number)
        case .allow: return .allow
        case .log: return .log
        case .notify: throw .seccomp("SCMP_ACT_NOTIFY is not supported yet")
        }
    }
}

extension Spec.Linux.Seccomp.Operator {
    var compiled: SeccompProfile.Comparison {
        switch self {
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .equal: .equal
        case .greaterOrEqual: .greaterOrEqual
        case .greater: .greater
        case .maskedEqual: .maskedEqual
        }
    }
}

extension Spec.Linux.Seccomp.Flag {
    /// <linux/seccomp.h>; the filter is installed by a process of one thread, so TSYNC changes nothing.
    var bit: UInt32 {
        switch self {
        case .threadSync: 1
        case .log: 2
        case .allowSpeculation: 4
        case .waitKillable: 32
        }
    }
}

extension Spec.Linux.Seccomp.Architecture {
    /// `SCMP_ARCH_X86_64` as libseccomp resolves it: `x86_64`.
    var libseccompName: String { String(rawValue.dropFirst("SCMP_ARCH_".count)).lowercased() }
}
