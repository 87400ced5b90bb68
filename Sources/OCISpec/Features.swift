/// What this runtime can do, as `features` prints it (runtime-spec features.md, features-linux.md). It is drawn from
/// the same tables that decide what create refuses.
public struct Features: Equatable, Sendable {
    public var ociVersionMin = Spec.oldestVersion
    public var ociVersionMax = Spec.newestVersion
    public var hooks = Honoured.hooks
    public var mountOptions = MountOptions.knownNames.filter { !Honoured.refusedMountOptions.contains($0) }
    public var linux = Linux()
    public var annotations: [String: String] = [:]
    public var potentiallyUnsafeConfigAnnotations: [String] = []

    /// `annotations` are the runtime's own: its version and the like.
    public init(annotations: [String: String]) { self.annotations = annotations }

    /// As `runc features` prints it: four spaces a level, and a newline.
    public func encoded() -> [UInt8] { JSONWriter.bytes(json, indent: "    ") + [0x0A] }

    public struct Linux: Equatable, Sendable {
        public var namespaces = Honoured.namespaces.map(\.rawValue).sorted()
        public var capabilities = CapabilityNames.all
        public var cgroup = Cgroup()
        public var seccomp = Seccomp()
        public var apparmor = Switch(enabled: false)
        public var selinux = Switch(enabled: false)
        public var intelRdt = Switch(enabled: false)
        public var mountExtensions = MountExtensions()
        public var netDevices = Switch(enabled: false)

        public init() {}
    }

    public struct Cgroup: Equatable, Sendable {
        public var v1 = true
        public var v2 = true
        public var systemd = false
        public var systemdUser = false
        public var rdma = false

        public init() {}
    }

    public struct Seccomp: Equatable, Sendable {
        public var enabled = true
        public var actions = names(Spec.Linux.Seccomp.Action.self, without: Honoured.refusedSeccompActions)
        public var operators = names(Spec.Linux.Seccomp.Operator.self)
        public var archs = names(
            Spec.Linux.Seccomp.Architecture.self, without: Honoured.refusedSeccompArchitectures)
        public var knownFlags = names(Spec.Linux.Seccomp.Flag.self)
        public var supportedFlags = names(Spec.Linux.Seccomp.Flag.self, without: Honoured.refusedSeccompFlags)

        public init() {}

        private static func names<T: JSONName & Hashable>(_ type: T.Type, without refused: Set<T> = []) -> [String] {
            T.allCases.filter { !refused.contains($0) }.map(\.rawValue).sorted()
        }
    }

    public struct Switch: Equatable, Sendable {
        public var enabled = false

        public init(enabled: Bool) { self.enabled = enabled }
    }

    public struct MountExtensions: Equatable, Sendable {
        public var idmap = Switch(enabled: false)

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
