// SPDX-License-Identifier: Apache-2.0
/// A container's use of its machine: the data of an event. Names, order and what is left out where it is 0 are those
/// of runc's types/events.go; what cgroup v2 does not count stays 0, as there.
public struct Statistics: Equatable, Sendable {
    /// Processor time.
    public var cpu = CPU()
    /// Memory.
    public var memory = Memory()
    /// Processes.
    public var pids = Pids()
    /// Input and output of block devices.
    public var blkio = Blkio()
    /// What the monitor of the virtual machine tells of itself; runc has no such member.
    public var microvm: MonitorReport?

    /// Every field absent or at its default.
    public init() {}

    /// Use of processors.
    public struct CPU: Equatable, Sendable {
        /// Time used.
        public var usage = Usage()
        /// Time lost to the quota.
        public var throttling = Throttling()
        /// Pressure on processors; nil if the kernel does not measure it.
        public var psi: Pressure?

        /// Every field absent or at its default.
        public init() {}

        /// Nanoseconds of processor time.
        public struct Usage: Equatable, Sendable {
            /// Time in kernel and user mode together.
            public var total: UInt64 = 0
            /// Time in kernel mode.
            public var kernel: UInt64 = 0
            /// Time in user mode.
            public var user: UInt64 = 0

            /// Every field absent or at its default.
            public init() {}
        }

        /// What the CPU quota has held back.
        public struct Throttling: Equatable, Sendable {
            /// Periods of the quota that have passed.
            public var periods: UInt64 = 0
            /// Those in which the quota was used up.
            public var throttledPeriods: UInt64 = 0
            /// Nanoseconds.
            public var throttledTime: UInt64 = 0

            /// Every field absent or at its default.
            public init() {}
        }
    }

    /// Use of memory.
    public struct Memory: Equatable, Sendable {
        /// Bytes of files kept in memory.
        public var cache: UInt64 = 0
        /// Memory without swap.
        public var usage = Entry()
        /// Of memory and swap together, as cgroup v1 counted it.
        public var swap = Entry()
        /// memory.stat, word for word.
        public var raw: [String: UInt64] = [:]
        /// Pressure on memory; nil if the kernel does not measure it.
        public var psi: Pressure?

        /// Every field absent or at its default.
        public init() {}

        /// Bytes.
        public struct Entry: Equatable, Sendable {
            /// 2^64 - 1: no limit.
            public var limit: UInt64 = 0
            /// Bytes in use now.
            public var usage: UInt64 = 0
            /// The most that was ever used; 0 where the kernel does not tell.
            public var max: UInt64 = 0

            /// Every field absent or at its default.
            public init() {}
        }
    }

    /// Number of processes and threads.
    public struct Pids: Equatable, Sendable {
        /// Those that exist now.
        public var current: UInt64 = 0
        /// 0: no limit.
        public var limit: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}
    }

    /// What block devices have transferred.
    public struct Blkio: Equatable, Sendable {
        /// Bytes transferred.
        public var serviceBytes: [Entry] = []
        /// Requests completed.
        public var serviced: [Entry] = []
        /// Pressure on input and output; nil if the kernel does not measure it.
        public var psi: Pressure?

        /// Every field absent or at its default.
        public init() {}

        /// One device and direction.
        public struct Entry: Equatable, Sendable {
            /// The direction, in runc's words.
            public enum Operation: String, Sendable, CaseIterable { case read = "Read", write = "Write" }

            /// The device's major number.
            public var major: UInt64
            /// The device's minor number.
            public var minor: UInt64
            /// The direction.
            public var operation: Operation
            /// Bytes or requests, as the list says.
            public var value: UInt64

            /// What the device `major`:`minor` has transferred in one direction.
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
        /// The time in which some tasks were stalled.
        public var some = Share()
        /// The time in which all tasks were stalled.
        public var full = Share()

        /// Every field absent or at its default.
        public init() {}

        /// How much of the time tasks were stalled.
        public struct Share: Equatable, Sendable {
            /// Average of the last 10 s.
            public var average10 = Percent()
            /// Average of the last 60 s.
            public var average60 = Percent()
            /// Average of the last 300 s.
            public var average300 = Percent()
            /// Microseconds.
            public var total: UInt64 = 0

            /// Every field absent or at its default.
            public init() {}
        }
    }

    /// A share of time, with the two decimals the kernel gives it.
    public struct Percent: Equatable, Sendable {
        /// Hundredths of a per cent.
        public var hundredths: UInt64

        /// A share of `hundredths` / 100 per cent.
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
