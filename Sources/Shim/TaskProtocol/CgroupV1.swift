// SPDX-License-Identifier: Apache-2.0
import CTaskProtocol
import Protobuf

/// The figures of a container, as containerd has them for cgroups v1.
public enum CgroupV1 {
    /// io.containerd.cgroups.v1.Metrics.
    public struct Metrics: PackedTaskMessage {
        /// Of huge pages, an entry a size.
        public var hugetlb: [HugetlbStat] = []
        /// Of the pids controller.
        public var pids: PidsStat?
        /// Of the cpu controller.
        public var cpu: CPUStat?
        /// Of the memory controller.
        public var memory: MemoryStat?
        /// Of the blkio controller.
        public var blkio: BlkIOStat?
        /// Of the network interfaces.
        public var network: [NetworkStat] = []
        /// Of kills for want of memory.
        public var memoryOOMControl: MemoryOOMControl?

        /// Every field absent or at its default.
        public init() {}

        package static let kind = unsafe MessageKind(fcrunc__task__v1_metrics__init)

        package mutating func exchange(_ fields: MessageFields) {
            fields.messages("hugetlb", &hugetlb)
            fields.message("pids", &pids)
            fields.message("cpu", &cpu)
            fields.message("memory", &memory)
            fields.message("blkio", &blkio)
            fields.messages("network", &network)
            fields.message("memory_oom_control", &memoryOOMControl)
        }
    }

    /// hugetlb.*, in bytes.
    public struct HugetlbStat: PackedTaskPart {
        /// In use.
        public var usage: UInt64 = 0
        /// The most that was in use.
        public var max: UInt64 = 0
        /// How often the limit was hit.
        public var failcnt: UInt64 = 0
        /// The size of the pages, `2MB`.
        public var pagesize = ""

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.number("usage", &usage)
            fields.number("max", &max)
            fields.number("failcnt", &failcnt)
            fields.text("pagesize", &pagesize)
        }
    }

    /// cpu.stat and cpuacct.
    public struct CPUStat: PackedTaskPart {
        /// Time used.
        public var usage: CPUUsage?
        /// How often the quota held it up.
        public var throttling: Throttle?

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.message("usage", &usage)
            fields.message("throttling", &throttling)
        }
    }

    /// In nanoseconds.
    public struct CPUUsage: PackedTaskPart {
        /// cpuacct.usage.
        public var total: UInt64 = 0
        /// cpuacct.usage_sys.
        public var kernel: UInt64 = 0
        /// cpuacct.usage_user.
        public var user: UInt64 = 0
        /// cpuacct.usage_percpu.
        public var perCPU: [UInt64] = []

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.number("total", &total)
            fields.number("kernel", &kernel)
            fields.number("user", &user)
            fields.numbers("per_cpu", &perCPU)
        }
    }

    /// `throttledTime` in nanoseconds.
    public struct Throttle: PackedTaskPart {
        /// `nr_periods`: periods of the quota.
        public var periods: UInt64 = 0
        /// `nr_throttled`: those in which it was used up.
        public var throttledPeriods: UInt64 = 0
        /// `throttled_time`.
        public var throttledTime: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.number("periods", &periods)
            fields.number("throttled_periods", &throttledPeriods)
            fields.number("throttled_time", &throttledTime)
        }
    }

    /// memory.stat, and what stands in files of its own.
    public struct MemoryStat: PackedTaskMessage {
        /// `cache`, bytes.
        public var cache: UInt64 = 0
        /// `rss`, bytes.
        public var rss: UInt64 = 0
        /// `rss_huge`, bytes.
        public var rssHuge: UInt64 = 0
        /// `mapped_file`, bytes.
        public var mappedFile: UInt64 = 0
        /// `dirty`, bytes.
        public var dirty: UInt64 = 0
        /// `writeback`, bytes.
        public var writeback: UInt64 = 0
        /// `pgpgin`, events.
        public var pgPgIn: UInt64 = 0
        /// `pgpgout`, events.
        public var pgPgOut: UInt64 = 0
        /// `pgfault`, events.
        public var pgFault: UInt64 = 0
        /// `pgmajfault`, events.
        public var pgMajFault: UInt64 = 0
        /// `inactive_anon`, bytes.
        public var inactiveAnon: UInt64 = 0
        /// `active_anon`, bytes.
        public var activeAnon: UInt64 = 0
        /// `inactive_file`, bytes.
        public var inactiveFile: UInt64 = 0
        /// `active_file`, bytes.
        public var activeFile: UInt64 = 0
        /// `unevictable`, bytes.
        public var unevictable: UInt64 = 0
        /// `hierarchical_memory_limit`, bytes.
        public var hierarchicalMemoryLimit: UInt64 = 0
        /// `hierarchical_memsw_limit`, bytes.
        public var hierarchicalSwapLimit: UInt64 = 0
        /// `total_cache`, bytes.
        public var totalCache: UInt64 = 0
        /// `total_rss`, bytes.
        public var totalRss: UInt64 = 0
        /// `total_rss_huge`, bytes.
        public var totalRssHuge: UInt64 = 0
        /// `total_mapped_file`, bytes.
        public var totalMappedFile: UInt64 = 0
        /// `total_dirty`, bytes.
        public var totalDirty: UInt64 = 0
        /// `total_writeback`, bytes.
        public var totalWriteback: UInt64 = 0
        /// `total_pgpgin`, events.
        public var totalPgPgIn: UInt64 = 0
        /// `total_pgpgout`, events.
        public var totalPgPgOut: UInt64 = 0
        /// `total_pgfault`, events.
        public var totalPgFault: UInt64 = 0
        /// `total_pgmajfault`, events.
        public var totalPgMajFault: UInt64 = 0
        /// `total_inactive_anon`, bytes.
        public var totalInactiveAnon: UInt64 = 0
        /// `total_active_anon`, bytes.
        public var totalActiveAnon: UInt64 = 0
        /// `total_inactive_file`, bytes.
        public var totalInactiveFile: UInt64 = 0
        /// `total_active_file`, bytes.
        public var totalActiveFile: UInt64 = 0
        /// `total_unevictable`, bytes.
        public var totalUnevictable: UInt64 = 0
        /// memory.*: memory alone.
        public var usage: MemoryEntry?
        /// memory.memsw.*: memory and swap.
        public var swap: MemoryEntry?
        /// memory.kmem.*: the kernel's.
        public var kernel: MemoryEntry?
        /// memory.kmem.tcp.*: buffers of TCP.
        public var kernelTCP: MemoryEntry?

        /// Every field absent or at its default.
        public init() {}

        package static let kind = unsafe MessageKind(fcrunc__task__v1_memory_stat__init)

        package mutating func exchange(_ fields: MessageFields) {
            fields.number("cache", &cache)
            fields.number("rss", &rss)
            fields.number("rss_huge", &rssHuge)
            fields.number("mapped_file", &mappedFile)
            fields.number("dirty", &dirty)
            fields.number("writeback", &writeback)
            fields.number("pg_pg_in", &pgPgIn)
            fields.number("pg_pg_out", &pgPgOut)
            fields.number("pg_fault", &pgFault)
            fields.number("pg_maj_fault", &pgMajFault)
            fields.number("inactive_anon", &inactiveAnon)
            fields.number("active_anon", &activeAnon)
            fields.number("inactive_file", &inactiveFile)
            fields.number("active_file", &activeFile)
            fields.number("unevictable", &unevictable)
            fields.number("hierarchical_memory_limit", &hierarchicalMemoryLimit)
            fields.number("hierarchical_swap_limit", &hierarchicalSwapLimit)
            fields.number("total_cache", &totalCache)
            fields.number("total_rss", &totalRss)
            fields.number("total_rss_huge", &totalRssHuge)
            fields.number("total_mapped_file", &totalMappedFile)
            fields.number("total_dirty", &totalDirty)
            fields.number("total_writeback", &totalWriteback)
            fields.number("total_pg_pg_in", &totalPgPgIn)
            fields.number("total_pg_pg_out", &totalPgPgOut)
            fields.number("total_pg_fault", &totalPgFault)
            fields.number("total_pg_maj_fault", &totalPgMajFault)
            fields.number("total_inactive_anon", &totalInactiveAnon)
            fields.number("total_active_anon", &totalActiveAnon)
            fields.number("total_inactive_file", &totalInactiveFile)
            fields.number("total_active_file", &totalActiveFile)
            fields.number("total_unevictable", &totalUnevictable)
            fields.message("usage", &usage)
            fields.message("swap", &swap)
            fields.message("kernel", &kernel)
            fields.message("kernel_tcp", &kernelTCP)
        }
    }

    /// In bytes, except `failcnt`.
    public struct MemoryEntry: PackedTaskPart {
        /// limit_in_bytes.
        public var limit: UInt64 = 0
        /// usage_in_bytes.
        public var usage: UInt64 = 0
        /// max_usage_in_bytes: the most that was used.
        public var max: UInt64 = 0
        /// How often the limit was hit.
        public var failcnt: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.number("limit", &limit)
            fields.number("usage", &usage)
            fields.number("max", &max)
            fields.number("failcnt", &failcnt)
        }
    }

    /// blkio.throttle.*.
    public struct BlkIOStat: PackedTaskPart {
        /// io_service_bytes_recursive.
        public var ioServiceBytesRecursive: [BlkIOEntry] = []
        /// io_serviced_recursive.
        public var ioServicedRecursive: [BlkIOEntry] = []

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.messages("io_service_bytes_recursive", &ioServiceBytesRecursive)
            fields.messages("io_serviced_recursive", &ioServicedRecursive)
        }
    }

    /// One operation of one device.
    public struct BlkIOEntry: PackedTaskPart {
        /// `Read`, `Write`, …
        public var op = ""
        /// The device's name; empty where it is not known.
        public var device = ""
        /// The device's major number.
        public var major: UInt64 = 0
        /// The device's minor number.
        public var minor: UInt64 = 0
        /// Bytes, or operations.
        public var value: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.text("op", &op)
            fields.text("device", &device)
            fields.number("major", &major)
            fields.number("minor", &minor)
            fields.number("value", &value)
        }
    }

    /// One network interface.
    public struct NetworkStat: PackedTaskPart {
        /// The interface's name.
        public var name = ""
        /// Received bytes.
        public var rxBytes: UInt64 = 0
        /// Received packets.
        public var rxPackets: UInt64 = 0
        /// Received packets with errors.
        public var rxErrors: UInt64 = 0
        /// Received packets that were dropped.
        public var rxDropped: UInt64 = 0
        /// Sent bytes.
        public var txBytes: UInt64 = 0
        /// Sent packets.
        public var txPackets: UInt64 = 0
        /// Sent packets with errors.
        public var txErrors: UInt64 = 0
        /// Sent packets that were dropped.
        public var txDropped: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.text("name", &name)
            fields.number("rx_bytes", &rxBytes)
            fields.number("rx_packets", &rxPackets)
            fields.number("rx_errors", &rxErrors)
            fields.number("rx_dropped", &rxDropped)
            fields.number("tx_bytes", &txBytes)
            fields.number("tx_packets", &txPackets)
            fields.number("tx_errors", &txErrors)
            fields.number("tx_dropped", &txDropped)
        }
    }

    /// memory.oom_control.
    public struct MemoryOOMControl: PackedTaskPart {
        /// Whether nothing is killed for want of memory: 1.
        public var oomKillDisable: UInt64 = 0
        /// Whether processes wait for memory: 1.
        public var underOOM: UInt64 = 0
        /// How many processes were killed.
        public var oomKill: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.number("oom_kill_disable", &oomKillDisable)
            fields.number("under_oom", &underOOM)
            fields.number("oom_kill", &oomKill)
        }
    }
}

/// pids.current and pids.max, in either version of cgroups.
public struct PidsStat: PackedTaskPart {
    /// How many processes and threads there are.
    public var current: UInt64 = 0
    /// 0: none.
    public var limit: UInt64 = 0

    /// Every field absent or at its default.
    public init() {}

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("current", &current)
        fields.number("limit", &limit)
    }
}
