// SPDX-License-Identifier: Apache-2.0
extension Spec.Linux {
    /// Limits, kept by control groups (config-linux.md#control-groups).
    public struct Resources: Equatable, Sendable {
        /// The list of allowed devices.
        public var devices: [DeviceRule] = []
        /// Limits of memory.
        public var memory: Memory?
        /// Limits of processor time.
        public var cpu: CPU?
        /// Limit of processes.
        public var pids: Pids?
        /// Limits of block devices.
        public var blockIO: BlockIO?
        /// Limits of huge pages.
        public var hugepageLimits: [HugepageLimit] = []
        /// Marks of packets, of cgroup v1.
        public var network: Network?
        /// By the device's name.
        public var rdma: [String: Rdma] = [:]
        /// Values by the name of a cgroup v2 file.
        public var unified: [String: String] = [:]

        /// Every field absent or at its default.
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
        /// Whether the rule allows or denies.
        public var allow = false
        /// `a`, `b` or `c`; empty is `a`.
        public var type = ""
        /// nil is every one.
        public var major: Int64?
        /// Minor number; nil is every one.
        public var minor: Int64?
        /// Of `r`, `w` and `m`.
        public var access = ""

        /// Every field absent or at its default.
        public init() {}
    }

    /// Bytes; -1 is no limit.
    public struct Memory: Equatable, Sendable {
        /// Most memory.
        public var limit: Int64?
        /// Memory that is left alone when the host runs short.
        public var reservation: Int64?
        /// Memory and swap together.
        public var swap: Int64?
        /// Most memory of the kernel's; deprecated.
        public var kernel: Int64?
        /// Most memory of TCP buffers; cgroup v1 only.
        public var kernelTCP: Int64?
        /// 0 to 100: how willingly memory is swapped out; cgroup v1 only.
        public var swappiness: UInt64?
        /// Processes wait rather than die when memory runs out; cgroup v1 only.
        public var disableOOMKiller: Bool?
        /// Limits count for cgroups below, too; cgroup v1 only.
        public var useHierarchy: Bool?
        /// An update that would set the limit below what is in use is refused.
        public var checkBeforeUpdate: Bool?

        /// Every field absent or at its default.
        public init() {}
    }

    /// Times are microseconds.
    public struct CPU: Equatable, Sendable {
        /// Weight against other cgroups, 2 to 262144; 1024 is usual.
        public var shares: UInt64?
        /// Microseconds of processor time in each period; -1 is no limit.
        public var quota: Int64?
        /// Microseconds that may be saved up and used beyond the quota.
        public var burst: UInt64?
        /// Length of a period in microseconds.
        public var period: UInt64?
        /// Microseconds of real-time scheduling in each period; cgroup v1 only.
        public var realtimeRuntime: Int64?
        /// Length of that period in microseconds; cgroup v1 only.
        public var realtimePeriod: UInt64?
        /// Processors that may be used, as `0-3,7`.
        public var cpus = ""
        /// Memory nodes that may be used, in the same form.
        public var mems = ""
        /// 1 runs the cgroup only when nothing else wants to run.
        public var idle: Int64?

        /// Every field absent or at its default.
        public init() {}
    }

    /// Limit of processes and threads.
    public struct Pids: Equatable, Sendable {
        /// 0 says nothing, -1 is no limit. runtime-spec 1.3 lets it be absent.
        public var limit: Int64?

        /// Every field absent or at its default.
        public init() {}
    }

    /// Limit of huge pages of one size.
    public struct HugepageLimit: Equatable, Sendable {
        /// As `2MB`.
        public var pageSize = ""
        /// Bytes.
        public var limit: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}
    }

    /// Marks of packets (net_cls and net_prio of cgroup v1).
    public struct Network: Equatable, Sendable {
        /// The class of packets sent, as tc(8) has it.
        public var classID: UInt32?
        /// Priorities by interface.
        public var priorities: [InterfacePriority] = []

        /// Every field absent or at its default.
        public init() {}
    }

    /// The priority of packets sent through one interface.
    public struct InterfacePriority: Equatable, Sendable {
        /// The interface's name.
        public var name = ""
        /// The priority.
        public var priority: UInt32 = 0

        /// Every field absent or at its default.
        public init() {}
    }

    /// Limits of one RDMA device.
    public struct Rdma: Equatable, Sendable {
        /// Most handles.
        public var hcaHandles: UInt32?
        /// Most objects.
        public var hcaObjects: UInt32?

        /// Every field absent or at its default.
        public init() {}
    }
}

extension Spec.Linux.Resources: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("devices", &devices)
        fields.field("memory", &memory)
        fields.field("cpu", &cpu)
        fields.field("pids", &pids)
        fields.unsupported("blockIO", &blockIO)
        fields.unsupported("hugepageLimits", &hugepageLimits)
        fields.unsupported("network", &network)
        fields.unsupported("rdma", &rdma)
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
        fields.unsupported("kernel", &kernel, usual: .integer(negative: true, magnitude: 1))
        fields.unsupported("kernelTCP", &kernelTCP, usual: .integer(negative: true, magnitude: 1))
        fields.unsupported("swappiness", &swappiness, evenIfEmpty: true)
        fields.unsupported("disableOOMKiller", &disableOOMKiller)
        // One hierarchy is all that cgroup v2 has, and the default of v1.
        fields.unsupported("useHierarchy", &useHierarchy, usual: .bool(true))
        fields.unsupported("checkBeforeUpdate", &checkBeforeUpdate)
    }
}

extension Spec.Linux.Resources.CPU: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("shares", &shares)
        fields.field("quota", &quota)
        fields.unsupported("burst", &burst)
        fields.field("period", &period)
        fields.unsupported("realtimeRuntime", &realtimeRuntime)
        fields.unsupported("realtimePeriod", &realtimePeriod)
        fields.field("cpus", &cpus)
        fields.field("mems", &mems)
        fields.unsupported("idle", &idle)
    }
}

extension Spec.Linux.Resources.Pids: JSONObject {
    mutating func code(_ fields: inout FieldCoder) { fields.field("limit", &limit) }
}

extension Spec.Linux.Resources.HugepageLimit: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        // A guest has no huge pages to limit to 0.
        fields.required("pageSize", &pageSize, isLabel: true)
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

extension Spec.Linux.Resources {
    /// Checks limits on their own, as `update` takes them; paths in errors start at the resources.
    public func validate() throws(SpecError) {
        for (index, rule) in devices.enumerated() {
            try within("devices[\(index)]", try rule.validate())
        }
        if let memory { try within("memory", try memory.validate()) }
        if let cpu { try within("cpu", try cpu.validate()) }
        if let limit = pids?.limit, limit < -1 {
            throw SpecError("pids.limit", .outOfRange(found: "\(limit)", lowest: "-1", highest: "\(Int64.max)"))
        }
        for key in unified.keys.sorted() {
            // The name of a file in the cgroup's folder: `memory.high`.
            let isFile = key.utf8.contains(UInt8(ascii: ".")) && !key.utf8.contains(UInt8(ascii: "/"))
            if !isFile || key.utf8.first == UInt8(ascii: ".") {
                throw SpecError("unified[\(quoted(key))]", .malformed(kind: "cgroup file", value: key))
            }
        }
        if let blockIO { try within("blockIO", try blockIO.validate()) }
        for (index, limit) in hugepageLimits.enumerated() where limit.pageSize.utf8.contains(UInt8(ascii: "/")) {
            throw SpecError("hugepageLimits[\(index)].pageSize", .malformed(kind: "page size", value: limit.pageSize))
        }
    }
}

extension Spec.Linux.Resources.DeviceRule {
    func validate() throws(SpecError) {
        if !["", "a", "b", "c"].contains(type) { throw SpecError("type", .unknown(kind: "device type", name: type)) }
        if access.isEmpty { throw SpecError("access", .empty) }
        if !access.utf8.allSatisfy("rwm".utf8.contains) {
            throw SpecError("access", .malformed(kind: "set of r, w and m", value: access))
        }
        // -1 is every number, as nil is.
        for (field, number) in [("major", major), ("minor", minor)] {
            if let number, !(-1...Int64(UInt32.max)).contains(number) {
                throw SpecError(field, .outOfRange(found: "\(number)", lowest: "-1", highest: "\(UInt32.max)"))
            }
        }
    }
}

extension Spec.Linux.Resources.Memory {
    func validate() throws(SpecError) {
        for (field, bytes) in [("limit", limit), ("reservation", reservation), ("swap", swap)] {
            if let bytes, bytes < -1 {
                throw SpecError(field, .outOfRange(found: "\(bytes)", lowest: "-1", highest: "\(Int64.max)"))
            }
        }
        // As runc: swap counts the memory too, so it is at least as much.
        if let swap, swap > 0 {
            guard let limit, limit != 0 else { throw SpecError("swap", .onlyWith("a memory limit")) }
            if swap < limit {
                throw SpecError("swap", .outOfRange(found: "\(swap)", lowest: "\(limit)", highest: "\(Int64.max)"))
            }
        }
        if let swappiness, swappiness > 100 {
            throw SpecError("swappiness", .outOfRange(found: "\(swappiness)", lowest: "0", highest: "100"))
        }
    }
}

extension Spec.Linux.Resources.CPU {
    func validate() throws(SpecError) {
        // The bounds of the kernel's scheduler: 1 ms to 1 s.
        if let period, period != 0, !(1_000...1_000_000).contains(period) {
            throw SpecError("period", .outOfRange(found: "\(period)", lowest: "1000", highest: "1000000"))
        }
        if let quota, quota > 0, quota < 1_000 {
            throw SpecError("quota", .outOfRange(found: "\(quota)", lowest: "1000", highest: "\(Int64.max)"))
        }
        for (field, list) in [("cpus", cpus), ("mems", mems)] where !Self.isList(list) {
            throw SpecError(field, .malformed(kind: "list, as 0-3,7", value: list))
        }
    }

    /// The kernel's list format, checked for its alphabet: it is written to a file, so no line may end in it.
    private static func isList(_ text: String) -> Bool {
        text.utf8.count <= Limit.path && text.utf8.allSatisfy("0123456789,-:/^ ".utf8.contains)
    }
}
