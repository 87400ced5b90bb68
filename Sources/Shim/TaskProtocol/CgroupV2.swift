import CProtobuf
import CTaskProtocol

/// The figures of a container, as containerd has them for cgroups v2.
public enum CgroupV2 {
    /// io.containerd.cgroups.v2.Metrics.
    public struct Metrics: PackedMessage {
        public var pids: PidsStat?
        public var cpu: CPUStat?
        public var memory: MemoryStat?
        public var io: IOStat?
        public var hugetlb: [HugeTlbStat] = []
        public var memoryEvents: MemoryEvents?

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v2_metrics__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V2Metrics.self)
            unsafe fields.message(&pids, &packed.pointee.pids)
            unsafe fields.message(&cpu, &packed.pointee.cpu)
            unsafe fields.message(&memory, &packed.pointee.memory)
            unsafe fields.message(&io, &packed.pointee.io)
            unsafe fields.messages(&hugetlb, &packed.pointee.n_hugetlb, &packed.pointee.hugetlb, "metrics.hugetlb")
            unsafe fields.message(&memoryEvents, &packed.pointee.memory_events)
        }
    }

    /// cpu.stat.
    public struct CPUStat: PackedMessage {
        public var usageMicroseconds: UInt64 = 0
        public var userMicroseconds: UInt64 = 0
        public var systemMicroseconds: UInt64 = 0
        public var nrPeriods: UInt64 = 0
        public var nrThrottled: UInt64 = 0
        public var throttledMicroseconds: UInt64 = 0

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v2_cpustat__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V2CPUStat.self)
            unsafe fields.number(&usageMicroseconds, &packed.pointee.usage_usec)
            unsafe fields.number(&userMicroseconds, &packed.pointee.user_usec)
            unsafe fields.number(&systemMicroseconds, &packed.pointee.system_usec)
            unsafe fields.number(&nrPeriods, &packed.pointee.nr_periods)
            unsafe fields.number(&nrThrottled, &packed.pointee.nr_throttled)
            unsafe fields.number(&throttledMicroseconds, &packed.pointee.throttled_usec)
        }
    }

    /// memory.stat, and what stands in files of its own; in bytes or events.
    public struct MemoryStat: PackedMessage {
        public var anon: UInt64 = 0
        public var file: UInt64 = 0
        public var kernelStack: UInt64 = 0
        public var slab: UInt64 = 0
        public var sock: UInt64 = 0
        public var shmem: UInt64 = 0
        public var fileMapped: UInt64 = 0
        public var fileDirty: UInt64 = 0
        public var fileWriteback: UInt64 = 0
        public var anonThp: UInt64 = 0
        public var inactiveAnon: UInt64 = 0
        public var activeAnon: UInt64 = 0
        public var inactiveFile: UInt64 = 0
        public var activeFile: UInt64 = 0
        public var unevictable: UInt64 = 0
        public var slabReclaimable: UInt64 = 0
        public var slabUnreclaimable: UInt64 = 0
        public var pgfault: UInt64 = 0
        public var pgmajfault: UInt64 = 0
        public var workingsetRefault: UInt64 = 0
        public var workingsetActivate: UInt64 = 0
        public var workingsetNodereclaim: UInt64 = 0
        public var pgrefill: UInt64 = 0
        public var pgscan: UInt64 = 0
        public var pgsteal: UInt64 = 0
        public var pgactivate: UInt64 = 0
        public var pgdeactivate: UInt64 = 0
        public var pglazyfree: UInt64 = 0
        public var pglazyfreed: UInt64 = 0
        public var thpFaultAlloc: UInt64 = 0
        public var thpCollapseAlloc: UInt64 = 0
        public var usage: UInt64 = 0
        public var usageLimit: UInt64 = 0
        public var swapUsage: UInt64 = 0
        public var swapLimit: UInt64 = 0
        public var maxUsage: UInt64 = 0
        public var swapMaxUsage: UInt64 = 0

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v2_memory_stat__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V2MemoryStat.self)
            unsafe fields.number(&anon, &packed.pointee.anon)
            unsafe fields.number(&file, &packed.pointee.file)
            unsafe fields.number(&kernelStack, &packed.pointee.kernel_stack)
            unsafe fields.number(&slab, &packed.pointee.slab)
            unsafe fields.number(&sock, &packed.pointee.sock)
            unsafe fields.number(&shmem, &packed.pointee.shmem)
            unsafe fields.number(&fileMapped, &packed.pointee.file_mapped)
            unsafe fields.number(&fileDirty, &packed.pointee.file_dirty)
            unsafe fields.number(&fileWriteback, &packed.pointee.file_writeback)
            unsafe fields.number(&anonThp, &packed.pointee.anon_thp)
            unsafe fields.number(&inactiveAnon, &packed.pointee.inactive_anon)
            unsafe fields.number(&activeAnon, &packed.pointee.active_anon)
            unsafe fields.number(&inactiveFile, &packed.pointee.inactive_file)
            unsafe fields.number(&activeFile, &packed.pointee.active_file)
            unsafe fields.number(&unevictable, &packed.pointee.unevictable)
            unsafe fields.number(&slabReclaimable, &packed.pointee.slab_reclaimable)
            unsafe fields.number(&slabUnreclaimable, &packed.pointee.slab_unreclaimable)
            unsafe fields.number(&pgfault, &packed.pointee.pgfault)
            unsafe fields.number(&pgmajfault, &packed.pointee.pgmajfault)
            unsafe fields.number(&workingsetRefault, &packed.pointee.workingset_refault)
            unsafe fields.number(&workingsetActivate, &packed.pointee.workingset_activate)
            unsafe fields.number(&workingsetNodereclaim, &packed.pointee.workingset_nodereclaim)
            unsafe fields.number(&pgrefill, &packed.pointee.pgrefill)
            unsafe fields.number(&pgscan, &packed.pointee.pgscan)
            unsafe fields.number(&pgsteal, &packed.pointee.pgsteal)
            unsafe fields.number(&pgactivate, &packed.pointee.pgactivate)
            unsafe fields.number(&pgdeactivate, &packed.pointee.pgdeactivate)
            unsafe fields.number(&pglazyfree, &packed.pointee.pglazyfree)
            unsafe fields.number(&pglazyfreed, &packed.pointee.pglazyfreed)
            unsafe fields.number(&thpFaultAlloc, &packed.pointee.thp_fault_alloc)
            unsafe fields.number(&thpCollapseAlloc, &packed.pointee.thp_collapse_alloc)
            unsafe fields.number(&usage, &packed.pointee.usage)
            unsafe fields.number(&usageLimit, &packed.pointee.usage_limit)
            unsafe fields.number(&swapUsage, &packed.pointee.swap_usage)
            unsafe fields.number(&swapLimit, &packed.pointee.swap_limit)
            unsafe fields.number(&maxUsage, &packed.pointee.max_usage)
            unsafe fields.number(&swapMaxUsage, &packed.pointee.swap_max_usage)
        }
    }

    /// memory.events.
    public struct MemoryEvents: PackedMessage {
        public var low: UInt64 = 0
        public var high: UInt64 = 0
        public var max: UInt64 = 0
        public var oom: UInt64 = 0
        public var oomKill: UInt64 = 0

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v2_memory_events__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V2MemoryEvents.self)
            unsafe fields.number(&low, &packed.pointee.low)
            unsafe fields.number(&high, &packed.pointee.high)
            unsafe fields.number(&max, &packed.pointee.max)
            unsafe fields.number(&oom, &packed.pointee.oom)
            unsafe fields.number(&oomKill, &packed.pointee.oom_kill)
        }
    }

    /// io.stat.
    public struct IOStat: PackedMessage {
        public var usage: [IOEntry] = []

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v2_iostat__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V2IOStat.self)
            unsafe fields.messages(&usage, &packed.pointee.n_usage, &packed.pointee.usage, "iostat.usage")
        }
    }

    /// One device.
    public struct IOEntry: PackedMessage {
        public var major: UInt64 = 0
        public var minor: UInt64 = 0
        public var rbytes: UInt64 = 0
        public var wbytes: UInt64 = 0
        public var rios: UInt64 = 0
        public var wios: UInt64 = 0

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v2_ioentry__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V2IOEntry.self)
            unsafe fields.number(&major, &packed.pointee.major)
            unsafe fields.number(&minor, &packed.pointee.minor)
            unsafe fields.number(&rbytes, &packed.pointee.rbytes)
            unsafe fields.number(&wbytes, &packed.pointee.wbytes)
            unsafe fields.number(&rios, &packed.pointee.rios)
            unsafe fields.number(&wios, &packed.pointee.wios)
        }
    }

    /// hugetlb.*, in bytes.
    public struct HugeTlbStat: PackedMessage {
        public var current: UInt64 = 0
        public var max: UInt64 = 0
        public var pagesize = ""

        public init() {}

        static var structure: StructureKind { unsafe StructureKind(fcrunc__task__v2_huge_tlb_stat__init) }

        mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
            let packed = unsafe structure.of(Fcrunc__Task__V2HugeTlbStat.self)
            unsafe fields.number(&current, &packed.pointee.current)
            unsafe fields.number(&max, &packed.pointee.max)
            unsafe fields.text(&pagesize, &packed.pointee.pagesize, "huge_tlb_stat.pagesize")
        }
    }
}
