/// What a sandbox may use on the host, in the terms of the OCI document's linux.resources. The number of
/// processes is no limit here: the document's counts the guest's, and those are the guest kernel's to limit.
public struct CgroupLimits: Hashable, Sendable {
    /// Bytes: the machine's memory and what the engine and the devices take besides.
    public var memoryByteCount: UInt64?
    /// Microseconds of processor time in each period; negative is no limit.
    public var cpuQuota: Int64?
    /// Microseconds.
    public var cpuPeriod: UInt64?
    /// 2 to 262144; 1024 is the usual.
    public var cpuShares: UInt64?
    /// Lists such as `0-3,7`.
    public var processors: String?
    public var memoryNodes: String?

    public init() {}

    /// A value, and the controller and file it is written to.
    struct Setting: Hashable {
        let controller: String
        let file: String
        let value: String
    }

    /// In the order they are to be written on version 1.
    func versionOneSettings() throws(CgroupError) -> [Setting] {
        var settings = try sets()
        if let memoryByteCount {
            settings.append(Setting(controller: "memory", file: "memory.limit_in_bytes", value: "\(memoryByteCount)"))
        }
        if let cpuShares {
            settings.append(Setting(controller: "cpu", file: "cpu.shares", value: "\(cpuShares)"))
        }
        if let cpuPeriod {
            settings.append(Setting(controller: "cpu", file: "cpu.cfs_period_us", value: "\(cpuPeriod)"))
        }
        if let cpuQuota {
            settings.append(Setting(controller: "cpu", file: "cpu.cfs_quota_us", value: "\(max(cpuQuota, -1))"))
        }
        return settings
    }

    /// In the order they are to be written on version 2.
    func versionTwoSettings() throws(CgroupError) -> [Setting] {
        var settings = try sets()
        if let memoryByteCount {
            settings.append(Setting(controller: "memory", file: "memory.max", value: "\(memoryByteCount)"))
        }
        if let cpuShares, cpuShares != 0 {
            settings.append(
                Setting(controller: "cpu", file: "cpu.weight", value: "\(Self.weight(ofShares: cpuShares))"))
        }
        if cpuQuota != nil || cpuPeriod != nil {
            let quota = cpuQuota.flatMap { $0 > 0 ? "\($0)" : nil } ?? "max"
            settings.append(Setting(controller: "cpu", file: "cpu.max", value: "\(quota) \(cpuPeriod ?? 100_000)"))
        }
        return settings
    }

    func sets() throws(CgroupError) -> [Setting] {
        var settings: [Setting] = []
        for (file, list) in [("cpuset.cpus", processors), ("cpuset.mems", memoryNodes)] {
            guard let list else { continue }
            let isList = list.utf8.allSatisfy { byte in
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ",")
                    || byte == UInt8(ascii: "-")
            }
            guard isList, !list.isEmpty, list.utf8.count < 4096 else { throw .invalidList(list, of: file) }
            settings.append(Setting(controller: "cpuset", file: file, value: list))
        }
        return settings
    }

    /// Shares from 2 to 262144 spread over weights from 1 to 10000, as runtimes have always done.
    static func weight(ofShares shares: UInt64) -> UInt64 {
        1 + (min(max(shares, 2), 262_144) - 2) * 9999 / 262_142
    }
}
