import CProtobuf
import CTaskProtocol

/// The figures of a container, as containerd has them for cgroups v1.
public enum CgroupV1 {
    /// io.containerd.cgroups.v1.Metrics.
    public struct Metrics: PackedMessage {
        public var hugetlb: [HugetlbStat] = []
        public var pids: PidsStat?
        public var cpu: CPUStat?
        public var memory: MemoryStat?
        public var blkio: BlkIOStat?
        public var network: [NetworkStat] = []
        public var memoryOOMControl: MemoryOOMControl?

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v1_metrics__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V1Metrics.self)
            unsafe fields.messages(&hugetlb, &packed.pointee.n_hugetlb, &packed.pointee.hugetlb, "metrics.hugetlb")
            unsafe fields.message(&pids, &packed.pointee.pids)
            unsafe fields.message(&cpu, &packed.pointee.cpu)
            unsafe fields.message(&memory, &packed.pointee.memory)
            unsafe fields.message(&blkio, &packed.pointee.blkio)
            unsafe fields.messages(&network, &packed.pointee.n_network, &packed.pointee.network, "metrics.network")
            unsafe fields.message(&memoryOOMControl, &packed.pointee.memory_oom_control)
        }
    }

    /// hugetlb.*, in bytes.
    public struct HugetlbStat: PackedMessage {
        public var usage: UInt64 = 0
        public var max: UInt64 = 0
        public var failcnt: UInt64 = 0
        public var pagesize = ""

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v1_hugetlb_stat__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V1HugetlbStat.self)
            unsafe fields.number(&usage, &packed.pointee.usage)
            unsafe fields.number(&max, &packed.pointee.max)
            unsafe fields.number(&failcnt, &packed.pointee.failcnt)
            unsafe fields.text(&pagesize, &packed.pointee.pagesize, "hugetlb_stat.pagesize")
        }
    }

    /// cpu.stat and cpuacct.
    public struct CPUStat: PackedMessage {
        public var usage: CPUUsage?
        public var throttling: Throttle?

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v1_cpustat__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V1CPUStat.self)
            unsafe fields.message(&usage, &packed.pointee.usage)
            unsafe fields.message(&throttling, &packed.pointee.throttling)
        }
    }

    /// In nanoseconds.
    public struct CPUUsage: PackedMessage {
        public var total: UInt64 = 0
        public var kernel: UInt64 = 0
        public var user: UInt64 = 0
        public var perCPU: [UInt64] = []

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v1_cpuusage__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V1CPUUsage.self)
            unsafe fields.number(&total, &packed.pointee.total)
            unsafe fields.number(&kernel, &packed.pointee.kernel)
            unsafe fields.number(&user, &packed.pointee.user)
            unsafe fields.numbers(&perCPU, &packed.pointee.n_per_cpu, &packed.pointee.per_cpu, "cpuusage.per_cpu")
        }
    }

    /// `throttledTime` in nanoseconds.
    public struct Throttle: PackedMessage {
        public var periods: UInt64 = 0
        public var throttledPeriods: UInt64 = 0
        public var throttledTime: UInt64 = 0

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v1_throttle__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V1Throttle.self)
            unsafe fields.number(&periods, &packed.pointee.periods)
            unsafe fields.number(&throttledPeriods, &packed.pointee.throttled_periods)
            unsafe fields.number(&throttledTime, &packed.pointee.throttled_time)
        }
    }

    /// memory.stat, and what stands in files of its own.
    public struct MemoryStat: PackedMessage {
        public var cache: UInt64 = 0
        public var rss: UInt64 = 0
        public var rssHuge: UInt64 = 0
        public var mappedFile: UInt64 = 0
        public var dirty: UInt64 = 0
        public var writeback: UInt64 = 0
        public var pgPgIn: UInt64 = 0
        public var pgPgOut: UInt64 = 0
        public var pgFault: UInt64 = 0
        public var pgMajFault: UInt64 = 0
        public var inactiveAnon: UInt64 = 0
        public var activeAnon: UInt64 = 0
        public var inactiveFile: UInt64 = 0
        public var activeFile: UInt64 = 0
        public var unevictable: UInt64 = 0
        public var hierarchicalMemoryLimit: UInt64 = 0
        public var hierarchicalSwapLimit: UInt64 = 0
        public var totalCache: UInt64 = 0
        public var totalRss: UInt64 = 0
        public var totalRssHuge: UInt64 = 0
        public var totalMappedFile: UInt64 = 0
        public var totalDirty: UInt64 = 0
        public var totalWriteback: UInt64 = 0
        public var totalPgPgIn: UInt64 = 0
        public var totalPgPgOut: UInt64 = 0
        public var totalPgFault: UInt64 = 0
        public var totalPgMajFault: UInt64 = 0
        public var totalInactiveAnon: UInt64 = 0
        public var totalActiveAnon: UInt64 = 0
        public var totalInactiveFile: UInt64 = 0
        public var totalActiveFile: UInt64 = 0
        public var totalUnevictable: UInt64 = 0
        public var usage: MemoryEntry?
        public var swap: MemoryEntry?
        public var kernel: MemoryEntry?
        public var kernelTCP: MemoryEntry?

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v1_memory_stat__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V1MemoryStat.self)
            unsafe fields.number(&cache, &packed.pointee.cache)
            unsafe fields.number(&rss, &packed.pointee.rss)
            unsafe fields.number(&rssHuge, &packed.pointee.rss_huge)
            unsafe fields.number(&mappedFile, &packed.pointee.mapped_file)
            unsafe fields.number(&dirty, &packed.pointee.dirty)
            unsafe fields.number(&writeback, &packed.pointee.writeback)
            unsafe fields.number(&pgPgIn, &packed.pointee.pg_pg_in)
            unsafe fields.number(&pgPgOut, &packed.pointee.pg_pg_out)
            unsafe fields.number(&pgFault, &packed.pointee.pg_fault)
            unsafe fields.number(&pgMajFault, &packed.pointee.pg_maj_fault)
            unsafe fields.number(&inactiveAnon, &packed.pointee.inactive_anon)
            unsafe fields.number(&activeAnon, &packed.pointee.active_anon)
            unsafe fields.number(&inactiveFile, &packed.pointee.inactive_file)
            unsafe fields.number(&activeFile, &packed.pointee.active_file)
            unsafe fields.number(&unevictable, &packed.pointee.unevictable)
            unsafe fields.number(&hierarchicalMemoryLimit, &packed.pointee.hierarchical_memory_limit)
            unsafe fields.number(&hierarchicalSwapLimit, &packed.pointee.hierarchical_swap_limit)
            unsafe fields.number(&totalCache, &packed.pointee.total_cache)
            unsafe fields.number(&totalRss, &packed.pointee.total_rss)
            unsafe fields.number(&totalRssHuge, &packed.pointee.total_rss_huge)
            unsafe fields.number(&totalMappedFile, &packed.pointee.total_mapped_file)
            unsafe fields.number(&totalDirty, &packed.pointee.total_dirty)
            unsafe fields.number(&totalWriteback, &packed.pointee.total_writeback)
            unsafe fields.number(&totalPgPgIn, &packed.pointee.total_pg_pg_in)
            unsafe fields.number(&totalPgPgOut, &packed.pointee.total_pg_pg_out)
            unsafe fields.number(&totalPgFault, &packed.pointee.total_pg_fault)
            unsafe fields.number(&totalPgMajFault, &packed.pointee.total_pg_maj_fault)
            unsafe fields.number(&totalInactiveAnon, &packed.pointee.total_inactive_anon)
            unsafe fields.number(&totalActiveAnon, &packed.pointee.total_active_anon)
            unsafe fields.number(&totalInactiveFile, &packed.pointee.total_inactive_file)
            unsafe fields.number(&totalActiveFile, &packed.pointee.total_active_file)
            unsafe fields.number(&totalUnevictable, &packed.pointee.total_unevictable)
            unsafe fields.message(&usage, &packed.pointee.usage)
            unsafe fields.message(&swap, &packed.pointee.swap)
            unsafe fields.message(&kernel, &packed.pointee.kernel)
            unsafe fields.message(&kernelTCP, &packed.pointee.kernel_tcp)
        }
    }

    /// In bytes, but for `failcnt`.
    public struct MemoryEntry: PackedMessage {
        public var limit: UInt64 = 0
        public var usage: UInt64 = 0
        public var max: UInt64 = 0
        public var failcnt: UInt64 = 0

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v1_memory_entry__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V1MemoryEntry.self)
            unsafe fields.number(&limit, &packed.pointee.limit)
            unsafe fields.number(&usage, &packed.pointee.usage)
            unsafe fields.number(&max, &packed.pointee.max)
            unsafe fields.number(&failcnt, &packed.pointee.failcnt)
        }
    }

    /// blkio.throttle.*.
    public struct BlkIOStat: PackedMessage {
        public var ioServiceBytesRecursive: [BlkIOEntry] = []
        public var ioServicedRecursive: [BlkIOEntry] = []

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v1_blk_iostat__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V1BlkIOStat.self)
            unsafe fields.messages(
                &ioServiceBytesRecursive, &packed.pointee.n_io_service_bytes_recursive,
                &packed.pointee.io_service_bytes_recursive, "blk_iostat.io_service_bytes_recursive")
            unsafe fields.messages(
                &ioServicedRecursive, &packed.pointee.n_io_serviced_recursive, &packed.pointee.io_serviced_recursive,
                "blk_iostat.io_serviced_recursive")
        }
    }

    /// One operation of one device.
    public struct BlkIOEntry: PackedMessage {
        /// `Read`, `Write`, …
        public var op = ""
        public var device = ""
        public var major: UInt64 = 0
        public var minor: UInt64 = 0
        public var value: UInt64 = 0

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v1_blk_ioentry__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V1BlkIOEntry.self)
            unsafe fields.text(&op, &packed.pointee.op, "blk_ioentry.op")
            unsafe fields.text(&device, &packed.pointee.device, "blk_ioentry.device")
            unsafe fields.number(&major, &packed.pointee.major)
            unsafe fields.number(&minor, &packed.pointee.minor)
            unsafe fields.number(&value, &packed.pointee.value)
        }
    }

    /// One network interface.
    public struct NetworkStat: PackedMessage {
        public var name = ""
        public var rxBytes: UInt64 = 0
        public var rxPackets: UInt64 = 0
        public var rxErrors: UInt64 = 0
        public var rxDropped: UInt64 = 0
        public var txBytes: UInt64 = 0
        public var txPackets: UInt64 = 0
        public var txErrors: UInt64 = 0
        public var txDropped: UInt64 = 0

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v1_network_stat__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V1NetworkStat.self)
            unsafe fields.text(&name, &packed.pointee.name, "network_stat.name")
            unsafe fields.number(&rxBytes, &packed.pointee.rx_bytes)
            unsafe fields.number(&rxPackets, &packed.pointee.rx_packets)
            unsafe fields.number(&rxErrors, &packed.pointee.rx_errors)
            unsafe fields.number(&rxDropped, &packed.pointee.rx_dropped)
            unsafe fields.number(&txBytes, &packed.pointee.tx_bytes)
            unsafe fields.number(&txPackets, &packed.pointee.tx_packets)
            unsafe fields.number(&txErrors, &packed.pointee.tx_errors)
            unsafe fields.number(&txDropped, &packed.pointee.tx_dropped)
        }
    }

    /// memory.oom_control.
    public struct MemoryOOMControl: PackedMessage {
        public var oomKillDisable: UInt64 = 0
        public var underOOM: UInt64 = 0
        public var oomKill: UInt64 = 0

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v1_memory_oom_control__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V1MemoryOomControl.self)
            unsafe fields.number(&oomKillDisable, &packed.pointee.oom_kill_disable)
            unsafe fields.number(&underOOM, &packed.pointee.under_oom)
            unsafe fields.number(&oomKill, &packed.pointee.oom_kill)
        }
    }
}

/// pids.current and pids.max, in either version of cgroups.
public struct PidsStat: PackedMessage {
    public var current: UInt64 = 0
    /// 0: none.
    public var limit: UInt64 = 0

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__pids_stat__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__PidsStat.self)
        unsafe fields.number(&current, &packed.pointee.current)
        unsafe fields.number(&limit, &packed.pointee.limit)
    }
}
