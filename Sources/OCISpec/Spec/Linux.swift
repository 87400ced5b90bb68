// SPDX-License-Identifier: Apache-2.0
extension Spec {
    /// The part of the document that is Linux' own (config-linux.md).
    public struct Linux: Equatable, Sendable {
        /// Mapping of user ids of the container's user namespace.
        public var uidMappings: [IDMapping] = []
        /// Mapping of its group ids.
        public var gidMappings: [IDMapping] = []
        /// Values by name; dots or slashes part the names.
        public var sysctl: [String: String] = [:]
        /// Limits.
        public var resources: Resources?
        /// Where the container's cgroup is: a path, or `slice:prefix:name` for systemd.
        public var cgroupsPath = ""
        /// Namespaces that are made or joined; others are the runtime's own.
        public var namespaces: [Namespace] = []
        /// Device nodes to make.
        public var devices: [Device] = []
        /// By the interface's name on the host.
        public var netDevices: [String: NetDevice] = [:]
        /// The filter of system calls.
        public var seccomp: Seccomp?
        /// Propagation of the root: `shared`, `slave`, `private` or `unbindable`.
        public var rootfsPropagation = ""
        /// Absolute paths that are hidden.
        public var maskedPaths: [String] = []
        /// Absolute paths that are made read-only.
        public var readonlyPaths: [String] = []
        /// The SELinux label of mounts.
        public var mountLabel = ""
        /// Intel Resource Director Technology.
        public var intelRdt: IntelRdt?
        /// Placement of memory on nodes.
        public var memoryPolicy: MemoryPolicy?
        /// The execution domain.
        public var personality: Personality?
        /// By the clock's name: `monotonic` or `boottime`.
        public var timeOffsets: [String: TimeOffset] = [:]

        /// Every field absent or at its default.
        public init() {}
    }
}

extension Spec.Linux {
    /// One namespace (config-linux.md#namespaces).
    public struct Namespace: Equatable, Sendable {
        /// Its type.
        public var type = NamespaceType.mount
        /// One that exists, to be joined; empty makes a new one.
        public var path = ""

        /// Every field absent or at its default.
        public init() {}

        /// A namespace of `type`; a `path` names one to join.
        public init(type: NamespaceType, path: String = "") {
            self.type = type
            self.path = path
        }
    }

    /// The types of namespaces(7).
    public enum NamespaceType: String, Sendable, CaseIterable {
        case cgroup, ipc, mount, network, pid, time, user, uts
    }

    /// One range of ids of a user namespace (config-linux.md#user-namespace-mappings).
    public struct IDMapping: Equatable, Sendable {
        /// The first id in the container.
        public var containerID: UInt32 = 0
        /// The first id on the host.
        public var hostID: UInt32 = 0
        /// How many ids follow one another.
        public var size: UInt32 = 0

        /// Every field absent or at its default.
        public init() {}

        /// A range of `size` ids.
        public init(containerID: UInt32, hostID: UInt32, size: UInt32) {
            self.containerID = containerID
            self.hostID = hostID
            self.size = size
        }
    }

    /// An offset of a clock of the time namespace (config-linux.md#offset-for-time-namespace).
    public struct TimeOffset: Equatable, Sendable {
        /// Whole seconds.
        public var secs: Int64 = 0
        /// Nanoseconds beside them.
        public var nanosecs: UInt32 = 0

        /// Every field absent or at its default.
        public init() {}
    }

    /// A device node to be made (config-linux.md#devices).
    public struct Device: Equatable, Sendable {
        /// Where it is made: an absolute path in the container.
        public var path = ""
        /// What kind of node it is.
        public var type = DeviceType.character
        /// Major number.
        public var major: Int64 = 0
        /// Minor number.
        public var minor: Int64 = 0
        /// Permission bits; 0666 when absent.
        public var fileMode: UInt32?
        /// Owner; 0 when absent.
        public var uid: UInt32?
        /// Group; 0 when absent.
        public var gid: UInt32?

        /// Every field absent or at its default.
        public init() {}
    }

    /// The kinds of device nodes, by the letter of mknod(1).
    public enum DeviceType: String, Sendable, CaseIterable {
        case block = "b"
        case character = "c"
        /// A character device too, unbuffered once.
        case unbuffered = "u"
        case fifo = "p"
    }

    /// A network interface of the host to be moved into the container.
    public struct NetDevice: Equatable, Sendable {
        /// Its name there; empty keeps the name.
        public var name = ""

        /// Every field absent or at its default.
        public init() {}
    }

    /// Cache and memory bandwidth (config-linux.md#intelrdt).
    public struct IntelRdt: Equatable, Sendable {
        /// The class of service.
        public var closID = ""
        /// Lines written to its schemata file.
        public var schemata: [String] = []
        /// The line for the L3 cache.
        public var l3CacheSchema = ""
        /// The line for memory bandwidth.
        public var memBwSchema = ""
        /// Whether cache use is monitored; deprecated.
        public var enableCMT = false
        /// Whether memory bandwidth is monitored; deprecated.
        public var enableMBM = false
        /// Whether the container has a monitoring group.
        public var enableMonitoring = false

        /// Every field absent or at its default.
        public init() {}
    }

    /// set_mempolicy(2).
    public struct MemoryPolicy: Equatable, Sendable {
        /// The mode, as `MPOL_BIND`.
        public var mode = ""
        /// The nodes, as `0-3,7`.
        public var nodes = ""
        /// Flags of the mode, as `MPOL_F_STATIC_NODES`.
        public var flags: [String] = []

        /// Every field absent or at its default.
        public init() {}
    }

    /// personality(2).
    public struct Personality: Equatable, Sendable {
        /// The execution domain.
        public var domain = PersonalityDomain.linux
        /// Further flags; the specification knows none.
        public var flags: [String] = []

        /// Every field absent or at its default.
        public init() {}
    }

    /// The execution domains that the specification knows.
    public enum PersonalityDomain: String, Sendable, CaseIterable {
        case linux = "LINUX"
        case linux32 = "LINUX32"
    }
}

extension Spec.Linux: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.unsupported("uidMappings", &uidMappings)
        fields.unsupported("gidMappings", &gidMappings)
        fields.field("sysctl", &sysctl)
        fields.field("resources", &resources)
        fields.field("cgroupsPath", &cgroupsPath, bytes: Limit.path)
        fields.field("namespaces", &namespaces)
        fields.field("devices", &devices)
        fields.unsupported("netDevices", &netDevices)
        fields.field("seccomp", &seccomp)
        fields.field("rootfsPropagation", &rootfsPropagation)
        fields.field("maskedPaths", &maskedPaths, bytes: Limit.path)
        fields.field("readonlyPaths", &readonlyPaths, bytes: Limit.path)
        fields.unsupported("mountLabel", &mountLabel)
        fields.unsupported("intelRdt", &intelRdt, evenIfEmpty: true)
        fields.unsupported("memoryPolicy", &memoryPolicy)
        fields.unsupported("personality", &personality)
        fields.unsupported("timeOffsets", &timeOffsets)
    }
}

extension Spec.Linux.Namespace: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("type", &type)
        fields.field("path", &path, bytes: Limit.path)
    }
}

extension Spec.Linux.IDMapping: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("containerID", &containerID)
        fields.required("hostID", &hostID)
        fields.required("size", &size)
    }
}

extension Spec.Linux.TimeOffset: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("secs", &secs)
        fields.field("nanosecs", &nanosecs)
    }
}

extension Spec.Linux.Device: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("path", &path, bytes: Limit.path)
        fields.required("type", &type)
        fields.always("major", &major)
        fields.always("minor", &minor)
        fields.field("fileMode", &fileMode)
        fields.field("uid", &uid)
        fields.field("gid", &gid)
    }
}

extension Spec.Linux.NetDevice: JSONObject {
    mutating func code(_ fields: inout FieldCoder) { fields.field("name", &name) }
}

extension Spec.Linux.IntelRdt: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("closID", &closID)
        fields.field("schemata", &schemata)
        fields.field("l3CacheSchema", &l3CacheSchema)
        fields.field("memBwSchema", &memBwSchema)
        fields.field("enableCMT", &enableCMT)
        fields.field("enableMBM", &enableMBM)
        fields.field("enableMonitoring", &enableMonitoring)
    }
}

extension Spec.Linux.MemoryPolicy: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("mode", &mode)
        fields.always("nodes", &nodes)
        fields.field("flags", &flags)
    }
}

extension Spec.Linux.Personality: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("domain", &domain, usual: .string("LINUX"))
        fields.field("flags", &flags)
    }
}

extension Spec.Linux.NamespaceType: JSONName { static var kind: String { "namespace" } }
extension Spec.Linux.DeviceType: JSONName { static var kind: String { "device type" } }
extension Spec.Linux.PersonalityDomain: JSONName { static var kind: String { "personality" } }

extension Spec.Linux {
    func validate(hostname: String) throws(SpecError) {
        let types = try validateNamespaces()
        for (field, mappings) in [("uidMappings", uidMappings), ("gidMappings", gidMappings)]
        where !mappings.isEmpty && !types.contains(.user) {
            throw SpecError(field, .needsNamespace(.user))
        }
        for clock in timeOffsets.keys.sorted() {
            if !types.contains(.time) { throw SpecError("timeOffsets", .needsNamespace(.time)) }
            if clock != "monotonic", clock != "boottime" {
                throw SpecError("timeOffsets", .unknown(kind: "clock", name: clock))
            }
        }
        for (field, paths) in [("maskedPaths", maskedPaths), ("readonlyPaths", readonlyPaths)] where !paths.isEmpty {
            if !types.contains(.mount) { throw SpecError(field, .needsNamespace(.mount)) }
            for (index, path) in paths.enumerated() { try requireAbsolute(path, "\(field)[\(index)]") }
        }
        for key in sysctl.keys.sorted() {
            try within("sysctl[\(quoted(key))]", try validateSysctl(key, types))
        }
        for (index, device) in devices.enumerated() {
            try within("devices[\(index)]", try device.validate())
        }
        if hasParentReference(cgroupsPath) { throw SpecError("cgroupsPath", .parentReference(cgroupsPath)) }
        if !rootfsPropagation.isEmpty, MountOptions.Propagation(option: rootfsPropagation) == nil {
            throw SpecError("rootfsPropagation", .unknown(kind: "propagation", name: rootfsPropagation))
        }
        if let resources { try within("resources", try resources.validate()) }
        if let seccomp { try within("seccomp", try seccomp.validate()) }
        if let closID = intelRdt?.closID, closID == "." || closID == ".." || closID.utf8.contains(UInt8(ascii: "/")) {
            throw SpecError("intelRdt.closID", .malformed(kind: "class of service", value: closID))
        }
    }

    private func validateNamespaces() throws(SpecError) -> Set<NamespaceType> {
        var types: Set<NamespaceType> = []
        for (index, namespace) in namespaces.enumerated() {
            guard types.insert(namespace.type).inserted else {
                throw SpecError(
                    "namespaces[\(index)].type", .duplicate(kind: "namespace", value: namespace.type.rawValue))
            }
            if !namespace.path.isEmpty { try requireAbsolute(namespace.path, "namespaces[\(index)].path") }
        }
        return types
    }

    /// Only what a namespace of the container's own confines; the rest of /proc/sys is the whole kernel's.
    private func validateSysctl(_ key: String, _ types: Set<NamespaceType>) throws(SpecError) {
        let parts = Spec.Linux.sysctlComponents(key)
        let isWellFormed = parts.count > 1 && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        guard isWellFormed else { throw SpecError("", .malformed(kind: "sysctl", value: key)) }
        let ofIPC = ["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"]
        switch (parts[0], parts[1]) {
        case ("kernel", _) where parts.count == 2 && ofIPC.contains(parts[1]), ("fs", "mqueue"):
            if !types.contains(.ipc) { throw SpecError("", .needsNamespace(.ipc)) }
        case ("net", _):
            if !types.contains(.network) { throw SpecError("", .needsNamespace(.network)) }
        case ("kernel", "domainname") where parts.count == 2:
            if !types.contains(.uts) { throw SpecError("", .needsNamespace(.uts)) }
        case ("kernel", "hostname") where parts.count == 2:
            throw SpecError("", .conflictsWith("the field hostname"))
        default: throw SpecError("", .sysctlNotNamespaced(key))
        }
    }

    /// The path below /proc/sys that `key` names. Whichever of `.` and `/` comes first parts the components, and
    /// the other one may be within them: `net.ipv4.conf.eth0/100.rp_filter` (sysctl.d(5)).
    public static func sysctlComponents(_ key: String) -> [String] {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        let separator = key.utf8.first { $0 == dot || $0 == slash } ?? dot
        return key.utf8.split(separator: separator, omittingEmptySubsequences: false).map { part in
            // A slash within a component stands for the dot of an interface's name.
            String(decoding: separator == dot ? part.map { $0 == slash ? dot : $0 } : Array(part), as: UTF8.self)
        }
    }
}

extension Spec.Linux.Device {
    func validate() throws(SpecError) {
        try requireAbsolute(path, "path")
        if hasParentReference(path) { throw SpecError("path", .parentReference(path)) }
        if let mode = fileMode, mode & ~0o177777 != 0 {
            throw SpecError("fileMode", .outOfRange(found: "\(mode)", lowest: "0", highest: "\(0o177777)"))
        }
        if type == .fifo { return }
        // Linux has 12 bits of major and 20 of minor number.
        for (field, number, bits) in [("major", major, 12), ("minor", minor, 20)]
        where number < 0 || number >> bits != 0 {
            throw SpecError(field, .outOfRange(found: "\(number)", lowest: "0", highest: "\((1 << bits) - 1)"))
        }
    }
}
