extension Spec {
    /// The part of the document that is Linux' own (config-linux.md).
    public struct Linux: Equatable, Sendable {
        public var uidMappings: [IDMapping] = []
        public var gidMappings: [IDMapping] = []
        /// Values by name; dots or slashes part the names.
        public var sysctl: [String: String] = [:]
        public var resources: Resources?
        public var cgroupsPath = ""
        public var namespaces: [Namespace] = []
        public var devices: [Device] = []
        /// By the interface's name on the host.
        public var netDevices: [String: NetDevice] = [:]
        public var seccomp: Seccomp?
        public var rootfsPropagation = ""
        public var maskedPaths: [String] = []
        public var readonlyPaths: [String] = []
        public var mountLabel = ""
        public var intelRdt: IntelRdt?
        public var memoryPolicy: MemoryPolicy?
        public var personality: Personality?
        /// By the clock's name: `monotonic` or `boottime`.
        public var timeOffsets: [String: TimeOffset] = [:]

        public init() {}
    }
}

extension Spec.Linux {
    public struct Namespace: Equatable, Sendable {
        public var type = NamespaceType.mount
        /// One that exists, to be joined; empty makes a new one.
        public var path = ""

        public init() {}

        public init(type: NamespaceType, path: String = "") {
            self.type = type
            self.path = path
        }
    }

    public enum NamespaceType: String, Sendable, CaseIterable {
        case cgroup, ipc, mount, network, pid, time, user, uts
    }

    public struct IDMapping: Equatable, Sendable {
        public var containerID: UInt32 = 0
        public var hostID: UInt32 = 0
        public var size: UInt32 = 0

        public init() {}

        public init(containerID: UInt32, hostID: UInt32, size: UInt32) {
            self.containerID = containerID
            self.hostID = hostID
            self.size = size
        }
    }

    public struct TimeOffset: Equatable, Sendable {
        public var secs: Int64 = 0
        public var nanosecs: UInt32 = 0

        public init() {}
    }

    /// A device node to be made (config-linux.md#devices).
    public struct Device: Equatable, Sendable {
        public var path = ""
        public var type = DeviceType.character
        public var major: Int64 = 0
        public var minor: Int64 = 0
        /// Permission bits; 0666 when absent.
        public var fileMode: UInt32?
        public var uid: UInt32?
        public var gid: UInt32?

        public init() {}
    }

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

        public init() {}
    }

    public struct IntelRdt: Equatable, Sendable {
        public var closID = ""
        public var schemata: [String] = []
        public var l3CacheSchema = ""
        public var memBwSchema = ""
        public var enableCMT = false
        public var enableMBM = false
        public var enableMonitoring = false

        public init() {}
    }

    /// set_mempolicy(2).
    public struct MemoryPolicy: Equatable, Sendable {
        public var mode = ""
        public var nodes = ""
        public var flags: [String] = []

        public init() {}
    }

    /// personality(2).
    public struct Personality: Equatable, Sendable {
        public var domain = PersonalityDomain.linux
        public var flags: [String] = []

        public init() {}
    }

    public enum PersonalityDomain: String, Sendable, CaseIterable {
        case linux = "LINUX"
        case linux32 = "LINUX32"
    }
}

extension Spec.Linux: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("uidMappings", &uidMappings)
        fields.field("gidMappings", &gidMappings)
        fields.field("sysctl", &sysctl)
        fields.field("resources", &resources)
        fields.field("cgroupsPath", &cgroupsPath, bytes: Limit.path)
        fields.field("namespaces", &namespaces)
        fields.field("devices", &devices)
        fields.field("netDevices", &netDevices)
        fields.field("seccomp", &seccomp)
        fields.field("rootfsPropagation", &rootfsPropagation)
        fields.field("maskedPaths", &maskedPaths, bytes: Limit.path)
        fields.field("readonlyPaths", &readonlyPaths, bytes: Limit.path)
        fields.field("mountLabel", &mountLabel)
        fields.field("intelRdt", &intelRdt)
        fields.field("memoryPolicy", &memoryPolicy)
        fields.field("personality", &personality)
        fields.field("timeOffsets", &timeOffsets)
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
        fields.required("domain", &domain)
        fields.field("flags", &flags)
    }
}

extension Spec.Linux.NamespaceType: JSONName { static var kind: String { "namespace" } }
extension Spec.Linux.DeviceType: JSONName { static var kind: String { "device type" } }
extension Spec.Linux.PersonalityDomain: JSONName { static var kind: String { "personality" } }
