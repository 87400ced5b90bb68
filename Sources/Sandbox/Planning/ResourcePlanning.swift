// SPDX-License-Identifier: Apache-2.0
public import OCISpec
public import SandboxPlan

extension ResourcePlan {
    /// The document's limits as files of cgroup v2, converted as runc and crun do it.
    ///
    /// Swap is left out: the guest has none, so no limit on it can be passed. CPU sets are the host's CPUs and
    /// are kept there.
    public init(_ resources: Spec.Linux.Resources) throws(PlanningError) {
        self.init()
        if let limit = resources.memory?.limit, limit != 0 { set("memory.max", limit) }
        if let reservation = resources.memory?.reservation, reservation != 0 { set("memory.low", reservation) }
        if let shares = resources.cpu?.shares, shares != 0 {
            // From 2…262144 of v1 to 1…10000 of v2.
            let weight = 1 + (max(shares, 2) - 2) * 9999 / 262_142
            files.append(KernelParameter(name: "cpu.weight", value: String(min(weight, 10_000))))
        }
        if resources.cpu?.quota != nil || resources.cpu?.period != nil {
            let quota = resources.cpu?.quota ?? -1
            let period = resources.cpu?.period ?? 0
            files.append(
                KernelParameter(
                    name: "cpu.max", value: "\(quota > 0 ? String(quota) : "max") \(period == 0 ? 100_000 : period)"))
        }
        if let limit = resources.pids?.limit, limit != 0 { set("pids.max", limit) }
        for (name, value) in resources.unified.sorted(by: { $0.key < $1.key }) {
            guard !name.utf8.contains(UInt8(ascii: "/")), name.utf8.contains(UInt8(ascii: ".")),
                !name.utf8.starts(with: "cgroup.".utf8)
            else {
                throw .field(path: "linux.resources.unified", problem: "\"\(name)\" is no controller's file")
            }
            files.append(KernelParameter(name: name, value: value))
        }
        if !resources.devices.isEmpty { deviceRules = resources.devices.map(DeviceRule.init) }
    }

    private mutating func set(_ name: String, _ limit: Int64) {
        files.append(KernelParameter(name: name, value: limit < 0 ? "max" : String(limit)))
    }
}

extension DeviceRule {
    init(_ rule: Spec.Linux.Resources.DeviceRule) {
        let kind: DevicePlan.Kind? =
            switch rule.type {
            case "c": .character
            case "b": .block
            default: nil
            }
        // Without an access the rule is for every one, as in runc.
        let access = Array((rule.access.isEmpty ? "rwm" : rule.access).utf8)
        self.init(
            allows: rule.allow, kind: kind, major: rule.major.flatMap { $0 < 0 ? nil : UInt32(clamping: $0) },
            minor: rule.minor.flatMap { $0 < 0 ? nil : UInt32(clamping: $0) },
            canRead: access.contains(UInt8(ascii: "r")),
            canWrite: access.contains(UInt8(ascii: "w")), canMakeNode: access.contains(UInt8(ascii: "m")))
    }
}

extension SizingLimits {
    init(_ resources: Spec.Linux.Resources?) {
        self.init()
        if let limit = resources?.memory?.limit, limit > 0 { memoryByteCount = UInt64(limit) }
        cpuQuota = resources?.cpu?.quota
        cpuPeriod = resources?.cpu?.period
    }
}
