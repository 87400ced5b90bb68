extension Spec.Linux {
    /// Limits, kept by control groups (config-linux.md#control-groups).
    public struct Resources: Equatable, Sendable {
        public var devices: [DeviceRule] = []
        public var memory: Memory?
        public var cpu: CPU?
        public var pids: Pids?
        public var blockIO: BlockIO?
        public var hugepageLimits: [HugepageLimit] = []
        public var network: Network?
        /// By the device's name.
        public var rdma: [String: Rdma] = [:]
        /// Values by the name of a cgroup v2 file.
        public var unified: [String: String] = [:]

        public init() {}

        /// Reads limits on their own, as `update --resources` takes them.
        public static func parse(_ bytes: [UInt8]) throws(SpecError) -> Resources {
            try Resources(json: JSONParser.parse(bytes))
        }
    }
}

extension Spec.Linux.Resources {
    /// One rule of the device allow-list; later ones win.
    public struct DeviceRule: Equatable, Sendable {
        public var allow = false
        /// `a`, `b` or `c`; empty is `a`.
        public var type = ""
        /// nil is every one.
        public var major: Int64?
        public var minor: Int64?
        /// Of `r`, `w` and `m`.
        public var access = ""

        public init() {}
    }

    /// Bytes; -1 is no limit.
    public struct Memory: Equatable, Sendable {
        public var limit: Int64?
        public var reservation: Int64?
        /// Memory and swap together.
        public var swap: Int64?
        public var kernel: Int64?
        public var kernelTCP: Int64?
        public var swappiness: UInt64?
        public var disableOOMKiller: Bool?
        public var useHierarchy: Bool?
        public var checkBeforeUpdate: Bool?

        public init() {}
    }

    /// Times are microseconds.
    public struct CPU: Equatable, Sendable {
        public var shares: UInt64?
        public var quota: Int64?
        public var burst: UInt64?
        public var period: UInt64?
        public var realtimeRuntime: Int64?
        public var realtimePeriod: UInt64?
        public var cpus = ""
        public var mems = ""
        public var idle: Int64?

        public init() {}
    }

    public struct Pids: Equatable, Sendable {
        /// 0 says nothing, -1 is no limit. runtime-spec 1.3 lets it be absent.
        public var limit: Int64?

        public init() {}
    }

    public struct BlockIO: Equatable, Sendable {
        public var weight: UInt16?
        public var leafWeight: UInt16?
        public var weightDevice: [WeightDevice] = []
        /// Bytes a second.
        public var throttleReadBpsDevice: [ThrottleDevice] = []
        public var throttleWriteBpsDevice: [ThrottleDevice] = []
        /// Operations a second.
        public var throttleReadIOPSDevice: [ThrottleDevice] = []
        public var throttleWriteIOPSDevice: [ThrottleDevice] = []

        public init() {}
    }

    public struct WeightDevice: Equatable, Sendable {
        public var major: Int64 = 0
        public var minor: Int64 = 0
        public var weight: UInt16?
        public var leafWeight: UInt16?

        public init() {}
    }

    public struct ThrottleDevice: Equatable, Sendable {
        public var major: Int64 = 0
        public var minor: Int64 = 0
        public var rate: UInt64 = 0

        public init() {}
    }

    public struct HugepageLimit: Equatable, Sendable {
        /// As `2MB`.
        public var pageSize = ""
        /// Bytes.
        public var limit: UInt64 = 0

        public init() {}
    }

    public struct Network: Equatable, Sendable {
        public var classID: UInt32?
        public var priorities: [InterfacePriority] = []

        public init() {}
    }

    public struct InterfacePriority: Equatable, Sendable {
        public var name = ""
        public var priority: UInt32 = 0

        public init() {}
    }

    public struct Rdma: Equatable, Sendable {
        public var hcaHandles: UInt32?
        public var hcaObjects: UInt32?

        public init() {}
    }
}

extension Spec.Linux.Resources: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("devices", &devices)
        fields.field("memory", &memory)
        fields.field("cpu", &cpu)
        fields.field("pids", &pids)
        fields.field("blockIO", &blockIO)
        fields.field("hugepageLimits", &hugepageLimits)
        fields.field("network", &network)
        fields.field("rdma", &rdma)
        fields.field("unified", &unified)
    }
}

extension Spec.Linux.Resources.DeviceRule: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("allow", &allow)
        fields.field("type", &type)
        fields.field("major", &major)
        fields.field("minor", &minor)
        fields.field("access", &access)
    }
}

extension Spec.Linux.Resources.Memory: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("limit", &limit)
        fields.field("reservation", &reservation)
        fields.field("swap", &swap)
        fields.field("kernel", &kernel)
        fields.field("kernelTCP", &kernelTCP)
        fields.field("swappiness", &swappiness)
        fields.field("disableOOMKiller", &disableOOMKiller)
        fields.field("useHierarchy", &useHierarchy)
        fields.field("checkBeforeUpdate", &checkBeforeUpdate)
    }
}

extension Spec.Linux.Resources.CPU: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("shares", &shares)
        fields.field("quota", &quota)
        fields.field("burst", &burst)
        fields.field("period", &period)
        fields.field("realtimeRuntime", &realtimeRuntime)
        fields.field("realtimePeriod", &realtimePeriod)
        fields.field("cpus", &cpus)
        fields.field("mems", &mems)
        fields.field("idle", &idle)
    }
}

extension Spec.Linux.Resources.Pids: JSONObject {
    mutating func code(_ fields: inout FieldCoder) { fields.field("limit", &limit) }
}

extension Spec.Linux.Resources.BlockIO: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("weight", &weight)
        fields.field("leafWeight", &leafWeight)
        fields.field("weightDevice", &weightDevice)
        fields.field("throttleReadBpsDevice", &throttleReadBpsDevice)
        fields.field("throttleWriteBpsDevice", &throttleWriteBpsDevice)
        fields.field("throttleReadIOPSDevice", &throttleReadIOPSDevice)
        fields.field("throttleWriteIOPSDevice", &throttleWriteIOPSDevice)
    }
}

extension Spec.Linux.Resources.WeightDevice: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("major", &major)
        fields.required("minor", &minor)
        fields.field("weight", &weight)
        fields.field("leafWeight", &leafWeight)
    }
}

extension Spec.Linux.Resources.ThrottleDevice: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("major", &major)
        fields.required("minor", &minor)
        fields.required("rate", &rate)
    }
}

extension Spec.Linux.Resources.HugepageLimit: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("pageSize", &pageSize)
        fields.required("limit", &limit)
    }
}

extension Spec.Linux.Resources.Network: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("classID", &classID)
        fields.field("priorities", &priorities)
    }
}

extension Spec.Linux.Resources.InterfacePriority: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("name", &name)
        fields.required("priority", &priority)
    }
}

extension Spec.Linux.Resources.Rdma: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("hcaHandles", &hcaHandles)
        fields.field("hcaObjects", &hcaObjects)
    }
}
