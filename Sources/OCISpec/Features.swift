// SPDX-License-Identifier: Apache-2.0
/// What this runtime can do, as `features` prints it (runtime-spec features.md, features-linux.md). It is drawn from
/// the same tables that decide what create refuses.
public struct Features: Equatable, Sendable {
    /// The oldest version of the runtime-spec whose documents are read.
    public var ociVersionMin = Spec.oldestVersion
    /// The newest one.
    public var ociVersionMax = Spec.newestVersion
    /// The kinds of hooks that are run.
    public var hooks = Supported.hooks
    /// The options of mounts that are known and not refused.
    public var mountOptions = MountOptions.knownNames.filter { !Supported.refusedMountOptions.contains($0) }
    /// What is particular to Linux (features-linux.md).
    public var linux = Linux()
    /// The runtime's own annotations, by name.
    public var annotations: [String: String] = [:]
    /// Names of annotations that change what the runtime does; none here.
    public var potentiallyUnsafeConfigAnnotations: [String] = []

    /// `annotations` are the runtime's own: its version and the like.
    public init(annotations: [String: String]) { self.annotations = annotations }

    /// As `runc features` prints it: four spaces a level, and a newline.
    public func encoded() -> [UInt8] { JSONWriter.bytes(json, indent: "    ") + [0x0A] }

    /// The Linux part of `features` (features-linux.md).
    public struct Linux: Equatable, Sendable {
        /// Types of namespaces a container can have, sorted.
        public var namespaces = Supported.namespaces.map(\.rawValue).sorted()
        /// Names of the capabilities that are known, as `CAP_KILL`.
        public var capabilities = CapabilityNames.all
        /// What of control groups is supported.
        public var cgroup = Cgroup()
        /// What of system call filters is supported.
        public var seccomp = Seccomp()
        /// AppArmor profiles: not supported.
        public var apparmor = Switch(enabled: false)
        /// SELinux labels: not supported.
        public var selinux = Switch(enabled: false)
        /// Intel RDT: not supported.
        public var intelRdt = Switch(enabled: false)
        /// Extensions of mounts.
        public var mountExtensions = MountExtensions()
        /// Moving network devices of the host into a container: not supported.
        public var netDevices = Switch(enabled: false)

        /// Every field absent or at its default.
        public init() {}
    }

    /// Support of control groups (features-linux.md#cgroup).
    public struct Cgroup: Equatable, Sendable {
        /// Hosts with cgroup v1.
        public var v1 = true
        /// Hosts with cgroup v2.
        public var v2 = true
        /// Cgroups made through systemd.
        public var systemd = false
        /// Cgroups made through a user's systemd.
        public var systemdUser = false
        /// Limits of RDMA.
        public var rdma = false

        /// Every field absent or at its default.
        public init() {}
    }

    /// Support of system call filters (features-linux.md#seccomp).
    public struct Seccomp: Equatable, Sendable {
        /// Whether filters can be installed.
        public var enabled = true
        /// Actions that are supported, sorted.
        public var actions = names(Spec.Linux.Seccomp.Action.self, without: Supported.refusedSeccompActions)
        /// Operators of argument comparisons, sorted.
        public var operators = names(Spec.Linux.Seccomp.Operator.self)
        /// Architectures a filter can be for, sorted.
        public var archs = names(
            Spec.Linux.Seccomp.Architecture.self, without: Supported.refusedSeccompArchitectures)
        /// Flags that can be parsed, sorted.
        public var knownFlags = names(Spec.Linux.Seccomp.Flag.self)
        /// Flags that can be set, sorted.
        public var supportedFlags = names(Spec.Linux.Seccomp.Flag.self, without: Supported.refusedSeccompFlags)

        /// Every field absent or at its default.
        public init() {}

        private static func names<T: JSONName & Hashable>(_ type: T.Type, without refused: Set<T> = []) -> [String] {
            T.allCases.filter { !refused.contains($0) }.map(\.rawValue).sorted()
        }
    }

    /// A feature that is there or not.
    public struct Switch: Equatable, Sendable {
        /// Whether it is there.
        public var enabled = false

        /// A feature that is there if `enabled`.
        public init(enabled: Bool) { self.enabled = enabled }
    }

    /// Support of extensions of mounts (features-linux.md#mount-extensions).
    public struct MountExtensions: Equatable, Sendable {
        /// Id-mapped mounts: not supported.
        public var idmap = Switch(enabled: false)

        /// Every field absent or at its default.
        public init() {}
    }
}

extension Features: JSONObject {
    init() {}

    mutating func code(_ fields: inout FieldCoder) {
        fields.required("ociVersionMin", &ociVersionMin)
        fields.required("ociVersionMax", &ociVersionMax)
        fields.always("hooks", &hooks)
        fields.always("mountOptions", &mountOptions)
        fields.always("linux", &linux)
        fields.field("annotations", &annotations)
        fields.always("potentiallyUnsafeConfigAnnotations", &potentiallyUnsafeConfigAnnotations)
    }
}

extension Features.Linux: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.always("namespaces", &namespaces)
        fields.always("capabilities", &capabilities)
        fields.always("cgroup", &cgroup)
        fields.always("seccomp", &seccomp)
        fields.always("apparmor", &apparmor)
        fields.always("selinux", &selinux)
        fields.always("intelRdt", &intelRdt)
        fields.always("mountExtensions", &mountExtensions)
        fields.always("netDevices", &netDevices)
    }
}

extension Features.Cgroup: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.always("v1", &v1)
        fields.always("v2", &v2)
        fields.always("systemd", &systemd)
        fields.always("systemdUser", &systemdUser)
        fields.always("rdma", &rdma)
    }
}

extension Features.Seccomp: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.always("enabled", &enabled)
        fields.always("actions", &actions)
        fields.always("operators", &operators)
        fields.always("archs", &archs)
        fields.always("knownFlags", &knownFlags)
        fields.always("supportedFlags", &supportedFlags)
    }
}

extension Features.Switch: JSONObject {
    init() {}

    mutating func code(_ fields: inout FieldCoder) { fields.always("enabled", &enabled) }
}

extension Features.MountExtensions: JSONObject {
    mutating func code(_ fields: inout FieldCoder) { fields.always("idmap", &idmap) }
}
