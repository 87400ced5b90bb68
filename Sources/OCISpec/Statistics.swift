/// A container's use of its machine: the data of an event. Names, order and what is left out where it is 0 are those
/// of runc's types/events.go; what cgroup v2 does not count stays 0, as there.
public struct Statistics: Equatable, Sendable {
    public var cpu = CPU()
    public var memory = Memory()
    public var pids = Pids()
    public var blkio = Blkio()
    /// What the monitor of the virtual machine tells of itself; runc has no such member.
    public var microvm: MonitorReport?

    public init() {}

    public struct CPU: Equatable, Sendable {
        public var usage = Usage()
        public var throttling = Throttling()
        public var psi: Pressure?

        public init() {}

        /// Nanoseconds of processor time.
        public struct Usage: Equatable, Sendable {
            public var total: UInt64 = 0
            public var kernel: UInt64 = 0
            public var user: UInt64 = 0

            public init() {}
        }

        public struct Throttling: Equatable, Sendable {
            public var periods: UInt64 = 0
            public var throttledPeriods: UInt64 = 0
            /// Nanoseconds.
            public var throttledTime: UInt64 = 0

            public init() {}
        }
    }

    public struct Memory: Equatable, Sendable {
        /// Bytes of files kept in memory.
        public var cache: UInt64 = 0
        public var usage = Entry()
        /// Of memory and swap together, as cgroup v1 counted it.
        public var swap = Entry()
        /// memory.stat, word for word.
        public var raw: [String: UInt64] = [:]
        public var psi: Pressure?

        public init() {}

        /// Bytes.
        public struct Entry: Equatable, Sendable {
            /// 2^64 - 1 where there is none.
            public var limit: UInt64 = 0
            public var usage: UInt64 = 0
            /// The most that was ever used; 0 where the kernel does not tell.
            public var max: UInt64 = 0

            public init() {}
        }
    }

    public struct Pids: Equatable, Sendable {
        public var current: UInt64 = 0
        /// 0 where there is none.
        public var limit: UInt64 = 0

        public init() {}
    }

    public struct Blkio: Equatable, Sendable {
        public var serviceBytes: [Entry] = []
        public var serviced: [Entry] = []
        public var psi: Pressure?

        public init() {}

        /// One device and direction.
        public struct Entry: Equatable, Sendable {
            public enum Operation: String, Sendable, CaseIterable { case read = "Read", write = "Write" }

            public var major: UInt64
            public var minor: UInt64
            public var operation: Operation
            public var value: UInt64

            public init(major: UInt64, minor: UInt64, operation: Operation, value: UInt64) {
                self.major = major
                self.minor = minor
                self.operation = operation
                self.value = value
            }
        }
    }

    /// Pressure stall information, Documentation/accounting/psi.rst.
    public struct Pressure: Equatable, Sendable {
        public var some = Share()
        public var full = Share()

        public init() {}

        public struct Share: Equatable, Sendable {
            public var average10 = Percent()
            public var average60 = Percent()
            public var average300 = Percent()
            /// Microseconds.
            public var total: UInt64 = 0

            public init() {}
        }
    }

    /// A share of time, with the two decimals the kernel gives it.
    public struct Percent: Equatable, Sendable {
        public var hundredths: UInt64

        public init(hundredths: UInt64 = 0) { self.hundredths = hundredths }
    }
}

extension Statistics: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        // Version 2 of cgroups has no such figures, and the guest has neither resctrl nor links of the host's.
        var cpuset = CPUSet()
        var nothing = JSONValue.object([])
        var interfaces = JSONValue.null
        fields.always("cpu", &cpu)
        fields.always("cpuset", &cpuset)
        fields.always("memory", &memory)
        fields.always("pids", &pids)
        fields.always("blkio", &blkio)
        fields.always("hugetlb", &nothing)
        fields.always("intel_rdt", &nothing)
        fields.always("network_interfaces", &interfaces)
        fields.field("microvm", &microvm)
    }

    /// All of it is version 1's.
    private struct CPUSet: JSONObject {
        mutating func code(_ fields: inout FieldCoder) {
            var zero = 0
            for name in [
                "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
                "memory_spread_slab", "memory_pressure", "sched_load_balance", "sched_relax_domain_level",
            ] { fields.always(name, &zero) }
        }
    }
}

extension Statistics.CPU: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.always("usage", &usage)
        fields.always("throttling", &throttling)
        fields.field("psi", &psi)
    }
}

extension Statistics.CPU.Usage: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("total", &total)
        fields.always("kernel", &kernel)
        fields.always("user", &user)
    }
}

extension Statistics.CPU.Throttling: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("periods", &periods)
        fields.field("throttledPeriods", &throttledPeriods)
        fields.field("throttledTime", &throttledTime)
    }
}

extension Statistics.Memory: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        // Part of the usage, in version 2.
        var kernel = Entry()
        var kernelTCP = Entry()
        fields.field("cache", &cache)
        fields.always("usage", &usage)
        fields.always("swap", &swap)
        fields.always("kernel", &kernel)
        fields.always("kernelTCP", &kernelTCP)
        fields.field("raw", &raw)
        fields.field("psi", &psi)
    }
}

extension Statistics.Memory.Entry: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        var failures = 0
        fields.always("limit", &limit)
        fields.field("usage", &usage)
        fields.field("max", &max)
        fields.always("failcnt", &failures)
    }
}

extension Statistics.Pids: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("current", &current)
        fields.field("limit", &limit)
    }
}

extension Statistics.Blkio: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("ioServiceBytesRecursive", &serviceBytes)
        fields.field("ioServicedRecursive", &serviced)
        fields.field("psi", &psi)
    }
}

extension Statistics.Blkio.Entry: JSONObject {
    init() { self.init(major: 0, minor: 0, operation: .read, value: 0) }

    mutating func code(_ fields: inout FieldCoder) {
        fields.field("major", &major)
        fields.field("minor", &minor)
        fields.field("op", &operation)
        fields.field("value", &value)
    }
}

extension Statistics.Blkio.Entry.Operation: JSONName { static var kind: String { "operation" } }

extension Statistics.Pressure: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.always("some", &some)
        fields.always("full", &full)
    }
}

extension Statistics.Pressure.Share: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.always("avg10", &average10)
        fields.always("avg60", &average60)
        fields.always("avg300", &average300)
        fields.always("total", &total)
    }
}

extension Statistics.Percent: JSONCoded {
    /// Whole percents alone are read back: nothing here takes an event apart for its decimals.
    init(json: JSONValue) throws(SpecError) {
        let (product, overflow) = try UInt64(json: json).multipliedReportingOverflow(by: 100)
        hundredths = overflow ? .max : product
    }

    var json: JSONValue {
        let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
        if rest == 0 { return .integer(negative: false, magnitude: whole) }
        // As Go prints a float64: no zero at the end.
        let decimals = rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)"
        return .otherNumber("\(whole).\(decimals)")
    }

    var isZero: Bool { false }
}
