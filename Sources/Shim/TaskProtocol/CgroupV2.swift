// SPDX-License-Identifier: Apache-2.0
import CTaskProtocol
import Protobuf

/// The figures of a container, as containerd has them for cgroups v2.
public enum CgroupV2 {
    /// io.containerd.cgroups.v2.Metrics.
    public struct Metrics: PackedTaskMessage {
        /// Of the pids controller.
        public var pids: PidsStat?
        /// Of the cpu controller.
        public var cpu: CPUStat?
        /// Of the memory controller.
        public var memory: MemoryStat?
        /// Of the io controller.
        public var io: IOStat?
        /// Of huge pages, an entry a size.
        public var hugetlb: [HugeTlbStat] = []
        /// Of shortages.
        public var memoryEvents: MemoryEvents?

        /// Every field absent or at its default.
        public init() {}

        package static let kind = unsafe MessageKind(fcrunc__task__v2_metrics__init)

        package mutating func exchange(_ fields: MessageFields) {
            fields.message("pids", &pids)
            fields.message("cpu", &cpu)
            fields.message("memory", &memory)
            fields.message("io", &io)
            fields.messages("hugetlb", &hugetlb)
            fields.message("memory_events", &memoryEvents)
        }
    }

    /// cpu.stat.
    public struct CPUStat: PackedTaskPart {
        /// `usage_usec`.
        public var usageMicroseconds: UInt64 = 0
        /// `user_usec`.
        public var userMicroseconds: UInt64 = 0
        /// `system_usec`.
        public var systemMicroseconds: UInt64 = 0
        /// `nr_periods`: periods of the quota.
        public var nrPeriods: UInt64 = 0
        /// `nr_throttled`: those in which it was used up.
        public var nrThrottled: UInt64 = 0
        /// `throttled_usec`.
        public var throttledMicroseconds: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.number("usage_usec", &usageMicroseconds)
            fields.number("user_usec", &userMicroseconds)
            fields.number("system_usec", &systemMicroseconds)
            fields.number("nr_periods", &nrPeriods)
            fields.number("nr_throttled", &nrThrottled)
            fields.number("throttled_usec", &throttledMicroseconds)
        }
    }

    /// memory.stat, and what stands in files of its own; in bytes or events.
    public struct MemoryStat: PackedTaskPart {
        /// `anon`, bytes.
        public var anon: UInt64 = 0
        /// `file`, bytes.
        public var file: UInt64 = 0
        /// `kernel_stack`, bytes.
        public var kernelStack: UInt64 = 0
        /// `slab`, bytes.
        public var slab: UInt64 = 0
        /// `sock`, bytes.
        public var sock: UInt64 = 0
        /// `shmem`, bytes.
        public var shmem: UInt64 = 0
        /// `file_mapped`, bytes.
        public var fileMapped: UInt64 = 0
        /// `file_dirty`, bytes.
        public var fileDirty: UInt64 = 0
        /// `file_writeback`, bytes.
        public var fileWriteback: UInt64 = 0
        /// `anon_thp`, bytes.
        public var anonThp: UInt64 = 0
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
        /// `slab_reclaimable`, bytes.
        public var slabReclaimable: UInt64 = 0
        /// `slab_unreclaimable`, bytes.
        public var slabUnreclaimable: UInt64 = 0
        /// `pgfault`, events.
        public var pgfault: UInt64 = 0
        /// `pgmajfault`, events.
        public var pgmajfault: UInt64 = 0
        /// `workingset_refault`, events.
        public var workingsetRefault: UInt64 = 0
        /// `workingset_activate`, events.
        public var workingsetActivate: UInt64 = 0
        /// `workingset_nodereclaim`, events.
        public var workingsetNodereclaim: UInt64 = 0
        /// `pgrefill`, events.
        public var pgrefill: UInt64 = 0
        /// `pgscan`, events.
        public var pgscan: UInt64 = 0
        /// `pgsteal`, events.
        public var pgsteal: UInt64 = 0
        /// `pgactivate`, events.
        public var pgactivate: UInt64 = 0
        /// `pgdeactivate`, events.
        public var pgdeactivate: UInt64 = 0
        /// `pglazyfree`, events.
        public var pglazyfree: UInt64 = 0
        /// `pglazyfreed`, events.
        public var pglazyfreed: UInt64 = 0
        /// `thp_fault_alloc`, events.
        public var thpFaultAlloc: UInt64 = 0
        /// `thp_collapse_alloc`, events.
        public var thpCollapseAlloc: UInt64 = 0
        /// memory.current, bytes.
        public var usage: UInt64 = 0
        /// memory.max, bytes.
        public var usageLimit: UInt64 = 0
        /// memory.swap.current, bytes.
        public var swapUsage: UInt64 = 0
        /// memory.swap.max, bytes.
        public var swapLimit: UInt64 = 0
        /// memory.peak, bytes.
        public var maxUsage: UInt64 = 0
        /// memory.swap.peak, bytes.
        public var swapMaxUsage: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.number("anon", &anon)
            fields.number("file", &file)
            fields.number("kernel_stack", &kernelStack)
            fields.number("slab", &slab)
            fields.number("sock", &sock)
            fields.number("shmem", &shmem)
            fields.number("file_mapped", &fileMapped)
            fields.number("file_dirty", &fileDirty)
            fields.number("file_writeback", &fileWriteback)
            fields.number("anon_thp", &anonThp)
            fields.number("inactive_anon", &inactiveAnon)
            fields.number("active_anon", &activeAnon)
            fields.number("inactive_file", &inactiveFile)
            fields.number("active_file", &activeFile)
            fields.number("unevictable", &unevictable)
            fields.number("slab_reclaimable", &slabReclaimable)
            fields.number("slab_unreclaimable", &slabUnreclaimable)
            fields.number("pgfault", &pgfault)
            fields.number("pgmajfault", &pgmajfault)
            fields.number("workingset_refault", &workingsetRefault)
            fields.number("workingset_activate", &workingsetActivate)
            fields.number("workingset_nodereclaim", &workingsetNodereclaim)
            fields.number("pgrefill", &pgrefill)
            fields.number("pgscan", &pgscan)
            fields.number("pgsteal", &pgsteal)
            fields.number("pgactivate", &pgactivate)
            fields.number("pgdeactivate", &pgdeactivate)
            fields.number("pglazyfree", &pglazyfree)
            fields.number("pglazyfreed", &pglazyfreed)
            fields.number("thp_fault_alloc", &thpFaultAlloc)
            fields.number("thp_collapse_alloc", &thpCollapseAlloc)
            fields.number("usage", &usage)
            fields.number("usage_limit", &usageLimit)
            fields.number("swap_usage", &swapUsage)
            fields.number("swap_limit", &swapLimit)
            fields.number("max_usage", &maxUsage)
            fields.number("swap_max_usage", &swapMaxUsage)
        }
    }

    /// memory.events.
    public struct MemoryEvents: PackedTaskPart {
        /// `low`: how often memory below memory.low was reclaimed.
        public var low: UInt64 = 0
        /// `high`: how often memory.high held it up.
        public var high: UInt64 = 0
        /// `max`: how often memory.max was about to be passed.
        public var max: UInt64 = 0
        /// `oom`: how often nothing could be reclaimed.
        public var oom: UInt64 = 0
        /// `oom_kill`: how many processes were killed.
        public var oomKill: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.number("low", &low)
            fields.number("high", &high)
            fields.number("max", &max)
            fields.number("oom", &oom)
            fields.number("oom_kill", &oomKill)
        }
    }

    /// io.stat.
    public struct IOStat: PackedTaskPart {
        /// An entry a device.
        public var usage: [IOEntry] = []

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.messages("usage", &usage)
        }
    }

    /// One device.
    public struct IOEntry: PackedTaskPart {
        /// The device's major number.
        public var major: UInt64 = 0
        /// The device's minor number.
        public var minor: UInt64 = 0
        /// Bytes read.
        public var rbytes: UInt64 = 0
        /// Bytes written.
        public var wbytes: UInt64 = 0
        /// Reads.
        public var rios: UInt64 = 0
        /// Writes.
        public var wios: UInt64 = 0

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.number("major", &major)
            fields.number("minor", &minor)
            fields.number("rbytes", &rbytes)
            fields.number("wbytes", &wbytes)
            fields.number("rios", &rios)
            fields.number("wios", &wios)
        }
    }

    /// hugetlb.*, in bytes.
    public struct HugeTlbStat: PackedTaskPart {
        /// In use.
        public var current: UInt64 = 0
        /// The most that may be.
        public var max: UInt64 = 0
        /// The size of the pages, `2MB`.
        public var pagesize = ""

        /// Every field absent or at its default.
        public init() {}

        package mutating func exchange(_ fields: MessageFields) {
            fields.number("current", &current)
            fields.number("max", &max)
            fields.text("pagesize", &pagesize)
        }
    }
}
