// SPDX-License-Identifier: Apache-2.0
import CSeccomp
public import Linux

/// Why a profile cannot be compiled.
public enum SeccompError: Error, Equatable {
    case allocate
    case unknownArchitecture(String)
    case addArchitecture(String, Errno)
    case addRule(systemCall: String, Errno)
    case setAttribute(String, Errno)
    case export(Errno)
    /// More instructions than the kernel takes, BPF_MAXINSNS.
    case tooLong(instructionCount: Int)
}

extension SeccompError: CustomStringConvertible {
    /// For a person.
    public var description: String {
        switch self {
        case .allocate: "seccomp: out of memory"
        case .unknownArchitecture(let name): "seccomp: unknown architecture \"\(name)\""
        case .addArchitecture(let name, let errno): "seccomp: add architecture \(name): \(errno)"
        case .addRule(let name, let errno): "seccomp: add rule for \(name): \(errno)"
        case .setAttribute(let name, let errno): "seccomp: set \(name): \(errno)"
        case .export(let errno): "seccomp: export filter: \(errno)"
        case .tooLong(let count): "seccomp: the filter has \(count) instructions, the kernel takes 4096"
        }
    }
}

extension SeccompProfile {
    /// The profile as a program for seccomp(2): struct sock_filter after struct sock_filter, at most 4096
    /// (BPF_MAXINSNS). A system call that libseccomp does not know is skipped, as runc does: profiles list
    /// those of every kernel.
    public func compile() throws(SeccompError) -> [UInt8] {
        // libseccomp's own object, released below; strings and arrays are read during the calls only.
        guard let context = unsafe seccomp_init(defaultAction.rawValue) else { throw .allocate }
        defer { unsafe seccomp_release(context) }
        for name in architectures {
            // Reads the name during the call.
            let token = unsafe seccomp_arch_resolve_name(name)
            guard token != 0 else { throw .unknownArchitecture(name) }
            // The context is released on return.
            let result = unsafe seccomp_arch_add(context, token)
            // The native architecture is in every context.
            if result < 0, result != -Errno.exists.rawValue { throw .addArchitecture(name, Errno(rawValue: -result)) }
        }
        for rule in rules where rule.action != defaultAction {
            // Two conditions on one argument cannot stand in one libseccomp rule; runc makes them alternatives.
            let arguments = rule.conditions.map(\.argument)
            let conditionSets =
                Set(arguments).count < arguments.count ? rule.conditions.map { [$0] } : [rule.conditions]
            for name in rule.names {
                // Reads the name during the call.
                let number = unsafe seccomp_syscall_resolve_name(name)
                guard number != -1 else { continue }
                for conditions in conditionSets {
                    let comparisons = conditions.map {
                        scmp_arg_cmp(
                            arg: $0.argument, op: scmp_compare($0.comparison.rawValue), datum_a: $0.value,
                            datum_b: $0.second)
                    }
                    // Copies the comparisons.
                    let result = unsafe seccomp_rule_add_array(
                        context, rule.action.rawValue, number, UInt32(comparisons.count), comparisons)
                    if result < 0 { throw .addRule(systemCall: name, Errno(rawValue: -result)) }
                }
            }
        }
        // Not yet released.
        return try unsafe export(context)
    }

    /// The filter's instructions, through a file in memory: libseccomp writes to a descriptor only.
    func export(_ context: scmp_filter_ctx) throws(SeccompError) -> [UInt8] {
        // A binary tree of comparisons: nine steps for a profile of hundreds of calls. The context is the caller's, as in
        // all calls here.
        _ = unsafe seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2)
        // no_new_privs is the document's to decide, and the process installing the filter has the privilege.
        let noNewPrivileges = unsafe seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0)
        if noNewPrivileges < 0 { throw .setAttribute("no_new_privs", Errno(rawValue: -noNewPrivileges)) }
        do {
            let file = try FileDescriptor.memory(named: "seccomp")
            // Writes to a descriptor that stays open.
            let result = unsafe seccomp_export_bpf(context, file.rawValue)
            if result < 0 { throw SeccompError.export(Errno(rawValue: -result)) }
            let program = try file.readFromStart(limit: 4096 * 8 + 8)
            guard program.count <= 4096 * 8 else { throw SeccompError.tooLong(instructionCount: program.count / 8) }
            return program
        } catch let error as SeccompError {
            throw error
        } catch let error as Errno {
            throw .export(error)
        } catch {
            throw .allocate
        }
    }
}
