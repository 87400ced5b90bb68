// SPDX-License-Identifier: Apache-2.0
public import OCISpec

/// What a sandbox may use on the host, in the terms of the OCI document's `linux.resources`
/// (config-linux.md#control-groups). The document's limit on processes is not among them: it counts the guest's, and the
/// guest's kernel holds it.
///
/// A limit is listed once, with its file of either cgroup version, in ``files``: a controller is added there.
public struct CgroupLimits: Hashable, Sendable {
    /// Bytes: the machine's memory and what the engine and the devices take besides.
    public var memoryByteCount: UInt64?
    /// Microseconds of processor time in each period; negative is no limit.
    public var cpuQuota: Int64?
    /// Microseconds.
    public var cpuPeriod: UInt64?
    /// 2 to 262144; 1024 is the usual.
    public var cpuShares: UInt64?
    /// Lists such as `0-3,7`, cpuset(7).
    public var processors: String?
    /// A list of memory nodes, likewise.
    public var memoryNodes: String?

    /// No limits.
    public init() {}

    /// The document's limits that hold on the host as they are. Memory is not among them: the host limits the machine's.
    public init(_ resources: Spec.Linux.Resources?) {
        guard let cpu = resources?.cpu else { return }
        cpuShares = cpu.shares
        cpuQuota = cpu.quota
        cpuPeriod = cpu.period
        processors = cpu.cpus.isEmpty ? nil : cpu.cpus
        memoryNodes = cpu.mems.isEmpty ? nil : cpu.mems
    }
}

extension CgroupLimits {
    /// A file that holds a limit.
    struct LimitFile: Sendable {
        let controller: String
        /// The file's name on each cgroup version that has it.
        let names: [CgroupLayout.Version: String]
        /// What is written to it; nil: the limit is not set. An error of the file of this name.
        let value: @Sendable (CgroupLimits, _ name: String) throws(CgroupError) -> String?

        init(
            _ controller: String, one: String? = nil, two: String? = nil,
            _ value: @escaping @Sendable (CgroupLimits, _ name: String) throws(CgroupError) -> String?
        ) {
            self.controller = controller
            names = [.one: one, .two: two].compactMapValues { $0 }
            self.value = value
        }
    }

    /// Every limit's file, in the order they are to be written. The cpuset's come first: no process enters an empty set.
    static let files = [
        LimitFile("cpuset", one: "cpuset.cpus", two: "cpuset.cpus") { (limits, name) throws(CgroupError) in
            try limits.processors.map { (list) throws(CgroupError) in try Self.checked(list, name) }
        },
        LimitFile("cpuset", one: "cpuset.mems", two: "cpuset.mems") { (limits, name) throws(CgroupError) in
            try limits.memoryNodes.map { (list) throws(CgroupError) in try Self.checked(list, name) }
        },
        LimitFile("memory", one: "memory.limit_in_bytes", two: "memory.max") { limits, _ in
            limits.memoryByteCount.map { "\($0)" }
        },
        LimitFile("cpu", one: "cpu.shares") { limits, _ in limits.cpuShares.map { "\($0)" } },
        LimitFile("cpu", one: "cpu.cfs_period_us") { limits, _ in limits.cpuPeriod.map { "\($0)" } },
        LimitFile("cpu", one: "cpu.cfs_quota_us") { limits, _ in limits.cpuQuota.map { "\(max($0, -1))" } },
        LimitFile("cpu", two: "cpu.weight") { limits, _ in
            limits.cpuShares.flatMap { $0 == 0 ? nil : "\(Self.weight(ofShares: $0))" }
        },
        LimitFile("cpu", two: "cpu.max") { limits, _ in
            if limits.cpuQuota == nil, limits.cpuPeriod == nil { return nil }
            let quota = limits.cpuQuota.flatMap { $0 > 0 ? "\($0)" : nil } ?? "max"
            return "\(quota) \(limits.cpuPeriod ?? 100_000)"
        },
    ]

    /// The names of ``files`` on both versions, in their order.
    static let fileNames = files.flatMap { Set($0.names.values) }

    /// The controllers that a sandbox's cgroup has where the host lets it: those of limits, and those of statistics alone.
    static let controllers = Set(files.map(\.controller)).union(["io", "pids"]).sorted()

    /// A value, and the controller and file it is written to.
    struct Setting: Hashable {
        let controller: String
        let file: String
        let value: String
    }

    /// The limits that are set, as files of a cgroup version, in the order they are to be written.
    func settings(_ version: CgroupLayout.Version) throws(CgroupError) -> [Setting] {
        var settings: [Setting] = []
        for file in Self.files {
            guard let name = file.names[version], let value = try file.value(self, name) else { continue }
            settings.append(Setting(controller: file.controller, file: name, value: value))
        }
        return settings
    }

    /// `list`, if it is a list of numbers and ranges.
    private static func checked(_ list: String, _ name: String) throws(CgroupError) -> String {
        let isList = list.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ",")
                || byte == UInt8(ascii: "-")
        }
        guard isList, !list.isEmpty, list.utf8.count < 4096 else { throw .invalidList(list, of: name) }
        return list
    }

    /// Shares from 2 to 262144 spread over weights from 1 to 10000, as runc has it.
    static func weight(ofShares shares: UInt64) -> UInt64 {
        1 + (min(max(shares, 2), 262_144) - 2) * 9999 / 262_142
    }
}
