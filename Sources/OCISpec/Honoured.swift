/// What of the runtime-spec this runtime honours: the one place to edit when it honours more.
enum Honoured {
    /// Fields, each with all that is below it. `[]` stands for any index or key.
    static let fields: Set<String> = [
        "ociVersion",
        "process.terminal",
        "process.consoleSize",
        "process.user",
        "process.args",
        "process.env",
        "process.cwd",
        "process.capabilities",
        "process.rlimits",
        "process.noNewPrivileges",
        "process.oomScoreAdj",
        "root",
        "hostname",
        "domainname",
        "mounts[].destination",
        "mounts[].type",
        "mounts[].source",
        "mounts[].options",
        "annotations",
        "linux.sysctl",
        "linux.resources.devices",
        "linux.resources.memory.limit",
        "linux.resources.memory.reservation",
        "linux.resources.memory.swap",
        "linux.resources.cpu.shares",
        "linux.resources.cpu.quota",
        "linux.resources.cpu.period",
        "linux.resources.cpu.cpus",
        "linux.resources.cpu.mems",
        "linux.resources.pids",
        "linux.resources.unified",
        "linux.cgroupsPath",
        "linux.namespaces[].type",
        "linux.namespaces[].path",
        "linux.devices",
        "linux.seccomp.defaultAction",
        "linux.seccomp.defaultErrnoRet",
        "linux.seccomp.architectures",
        "linux.seccomp.flags",
        "linux.seccomp.syscalls",
        "linux.rootfsPropagation",
        "linux.maskedPaths",
        "linux.readonlyPaths",
    ]

    /// Values that ask for nothing, beside false, 0, "" and what is empty.
    static let defaults: [String: JSONValue] = [
        "linux.personality.domain": .string("LINUX"),
        "linux.resources.memory.kernel": .integer(negative: true, magnitude: 1),
        "linux.resources.memory.kernelTCP": .integer(negative: true, magnitude: 1),
        // One hierarchy is all that cgroup v2 has, and the default of v1.
        "linux.resources.memory.useHierarchy": .bool(true),
        "process.scheduler.policy": .string("SCHED_OTHER"),
    ]

    /// Fields that ask for something even when they are 0 or empty.
    static let neverDefault: Set<String> = ["linux.intelRdt", "linux.resources.memory.swappiness"]

    /// Fields that only say which thing their neighbours are about. (A guest has no huge pages to limit to 0.)
    static let labels: Set<String> = ["linux.resources.hugepageLimits[].pageSize"]

    /// Filesystems a mount may be of, beside bind mounts.
    static let mountTypes: Set<String> = ["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"]

    /// Known mount options that are refused.
    static let refusedMountOptions: Set<String> = ["idmap", "ridmap", "remount"]

    static let namespaces: Set<Spec.Linux.NamespaceType> = [.pid, .network, .mount, .ipc, .uts, .cgroup]

    /// Namespaces that may be joined by path; those of a pod's sandbox may be by who runs in its machine.
    static let joinableNamespaces: Set<Spec.Linux.NamespaceType> = [.network]
    static let joinableInPod: Set<Spec.Linux.NamespaceType> = [.network, .ipc, .uts, .pid]

    static let refusedSeccompActions: Set<Spec.Linux.Seccomp.Action> = [.notify]
    static let refusedSeccompFlags: Set<Spec.Linux.Seccomp.Flag> = [.waitKillable]
    /// libseccomp has them from 2.6 on.
    static let refusedSeccompArchitectures: Set<Spec.Linux.Seccomp.Architecture> = [
        .loongarch64, .m68k, .superH, .superHBigEndian,
    ]
    static let hooks: [String] = []
}

extension Spec {
    /// The paths of what this document asks for and the runtime does not honour, in the document's order; create
    /// refuses them by name. `hooks.prestart`, `mounts[4].type "overlay"`.
    ///
    /// - Parameter inPod: the container runs in the machine of a pod's sandbox.
    public func unhonoured(inPod: Bool = false) -> [String] {
        var found: [String] = []
        let joinable = inPod ? Honoured.joinableInPod : Honoured.joinableNamespaces
        collect(json, path: "", pattern: "", into: &found)
        for (index, mount) in mounts.enumerated() {
            if !mount.parsedOptions.isBind, !Honoured.mountTypes.contains(mount.type) {
                found.append("mounts[\(index)].type \(quoted(mount.type))")
            }
            for option in mount.options where Honoured.refusedMountOptions.contains(option) {
                found.append("mounts[\(index)].options \(quoted(option))")
            }
        }
        for (index, namespace) in (linux?.namespaces ?? []).enumerated() {
            if !Honoured.namespaces.contains(namespace.type) {
                found.append("linux.namespaces[\(index)].type \(quoted(namespace.type.rawValue))")
            } else if !namespace.path.isEmpty, !joinable.contains(namespace.type) {
                found.append("linux.namespaces[\(index)].path")
            }
        }
        for (index, rule) in (linux?.seccomp?.syscalls ?? []).enumerated()
        where Honoured.refusedSeccompActions.contains(rule.action) {
            found.append("linux.seccomp.syscalls[\(index)].action \(quoted(rule.action.rawValue))")
        }
        for flag in linux?.seccomp?.flags ?? [] where Honoured.refusedSeccompFlags.contains(flag) {
            found.append("linux.seccomp.flags \(quoted(flag.rawValue))")
        }
        for architecture in linux?.seccomp?.architectures ?? []
        where Honoured.refusedSeccompArchitectures.contains(architecture) {
            found.append("linux.seccomp.architectures \(quoted(architecture.rawValue))")
        }
        return found
    }

    /// Walks what the document says. A list with nothing honoured in it is named once, as a whole.
    private func collect(_ value: JSONValue, path: String, pattern: String, into found: inout [String]) {
        if Honoured.fields.contains(pattern) || Honoured.labels.contains(pattern) { return }
        if Honoured.neverDefault.contains(pattern) {
            found.append(path)
            return
        }
        switch value {
        case .object(let members):
            for member in members {
                let key = pathKey(member.key)
                let dot = path.isEmpty || key.utf8.first == UInt8(ascii: "[") ? "" : "."
                collect(member.value, path: path + dot + key, pattern: pattern + dot + key, into: &found)
            }
        case .array(let elements):
            let reachesHonoured = Honoured.fields.contains { $0.utf8.starts(with: (pattern + "[]").utf8) }
            var inside: [String] = []
            for (index, element) in elements.enumerated() {
                collect(element, path: "\(path)[\(index)]", pattern: pattern + "[]", into: &inside)
            }
            if reachesHonoured {
                found += inside
            } else if !inside.isEmpty {
                found.append(path)
            }
        case .null, .bool(false), .integer(_, 0), .string(""): break
        default: if value != Honoured.defaults[pattern] { found.append(path) }
        }
    }
}

extension Spec.Process {
    /// As the document's `unhonoured`, for a process given to exec; paths start at `process`.
    public func unhonoured() -> [String] {
        var spec = Spec()
        spec.process = self
        return spec.unhonoured()
    }
}
