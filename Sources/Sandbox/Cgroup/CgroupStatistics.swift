// SPDX-License-Identifier: Apache-2.0
public import OCISpec

extension Statistics {
    /// A container's figures from the files of its cgroup v2, in the terms of version 1, as runc has them.
    ///
    /// - Parameter files: the text of each, by name. Without a file, whose controller or kernel option is then missing, its
    ///   figures are 0.
    public init(cgroupFiles files: [String: String]) throws(CgroupError) {
        self.init()
        func file(_ name: String) throws(CgroupError) -> CgroupFile? {
            guard let text = files[name] else { return nil }
            return try CgroupFile(name, text)
        }
        func number(_ name: String) throws(CgroupError) -> UInt64? { try file(name)?.number() }
        func pressure(_ name: String) throws(CgroupError) -> Pressure? {
            // Empty where it is switched off on the kernel's command line.
            guard let shares = try file(name)?.pressure(), !shares.isEmpty else { return nil }
            var pressure = Pressure()
            pressure.some = Pressure.Share(shares["some"] ?? [:])
            pressure.full = Pressure.Share(shares["full"] ?? [:])
            return pressure
        }

        let times = try file("cpu.stat")?.table() ?? [:]
        cpu.usage.total = Self.nanoseconds(times["usage_usec"])
        cpu.usage.kernel = Self.nanoseconds(times["system_usec"])
        cpu.usage.user = Self.nanoseconds(times["user_usec"])
        cpu.throttling.periods = times["nr_periods"] ?? 0
        cpu.throttling.throttledPeriods = times["nr_throttled"] ?? 0
        cpu.throttling.throttledTime = Self.nanoseconds(times["throttled_usec"])
        cpu.psi = try pressure("cpu.pressure")

        memory.raw = try file("memory.stat")?.table() ?? [:]
        memory.cache = memory.raw["file"] ?? 0
        memory.usage.usage = try number("memory.current") ?? 0
        memory.usage.limit = try number("memory.max") ?? 0
        memory.usage.max = try number("memory.peak") ?? 0
        memory.swap.usage = Self.sum(try number("memory.swap.current") ?? 0, memory.usage.usage)
        memory.swap.limit = Self.sum(try number("memory.swap.max") ?? 0, memory.usage.limit)
        memory.psi = try pressure("memory.pressure")

        pids.current = try number("pids.current") ?? 0
        let limit = try number("pids.max") ?? 0
        pids.limit = limit == .max ? 0 : limit

        for device in try file("io.stat")?.devices() ?? [] {
            func add(_ name: String, _ operation: Blkio.Entry.Operation, to entries: inout [Blkio.Entry]) {
                guard let value = device.figures[name] else { return }
                entries.append(
                    Blkio.Entry(major: device.major, minor: device.minor, operation: operation, value: value))
            }
            add("rbytes", .read, to: &blkio.serviceBytes)
            add("wbytes", .write, to: &blkio.serviceBytes)
            add("rios", .read, to: &blkio.serviced)
            add("wios", .write, to: &blkio.serviced)
        }
        blkio.psi = try pressure("io.pressure")
    }

    private static func nanoseconds(_ microseconds: UInt64?) -> UInt64 {
        let (product, overflow) = (microseconds ?? 0).multipliedReportingOverflow(by: 1000)
        return overflow ? .max : product
    }

    /// No limit and any other are no limit.
    private static func sum(_ first: UInt64, _ second: UInt64) -> UInt64 {
        let (sum, overflow) = first.addingReportingOverflow(second)
        return overflow ? .max : sum
    }
}

extension Statistics.Pressure.Share {
    fileprivate init(_ figures: [String: UInt64]) {
        self.init()
        average10.hundredths = figures["avg10"] ?? 0
        average60.hundredths = figures["avg60"] ?? 0
        average300.hundredths = figures["avg300"] ?? 0
        total = figures["total"] ?? 0
    }
}
