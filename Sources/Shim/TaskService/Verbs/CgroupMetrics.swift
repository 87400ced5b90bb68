// SPDX-License-Identifier: Apache-2.0
import Linux
import OCISpec
import TaskProtocol

/// A container's figures as containerd's messages have them. They are the guest's, where every cgroup is of version
/// 2; the message is the one that containerd expects on this host.
struct CgroupMetrics {
    let statistics: Statistics
    /// memory.events of the guest.
    let memoryEvents: [String: UInt64]

    /// What version 1 says where there is no limit: the most pages a counter can hold, in bytes.
    static let unlimited1: UInt64 = 0x7FFF_FFFF_FFFF_F000

    init(_ statistics: Statistics, memoryEvents text: String) {
        self.statistics = statistics
        var events: [String: UInt64] = [:]
        for line in text.prefix(4096).split(at: "\n") {
            let words = line.split(at: " ")
            if words.count == 2, let number = UInt64(words[1]) { events[String(words[0])] = number }
        }
        memoryEvents = events
    }

    private var pids: PidsStat {
        .with {
            $0.current = statistics.pids.current
            $0.limit = statistics.pids.limit
        }
    }

    private func raw(_ name: String) -> UInt64 { statistics.memory.raw[name] ?? 0 }

    // MARK: Version 2

    var version2: CgroupV2.Metrics {
        .with {
            $0.pids = pids
            $0.cpu = cpu2
            $0.memory = memory2
            $0.io = io2
            $0.memoryEvents = .with {
                $0.low = memoryEvents["low"] ?? 0
                $0.high = memoryEvents["high"] ?? 0
                $0.max = memoryEvents["max"] ?? 0
                $0.oom = memoryEvents["oom"] ?? 0
                $0.oomKill = memoryEvents["oom_kill"] ?? 0
            }
        }
    }

    private var cpu2: CgroupV2.CPUStat {
        let cpu = statistics.cpu
        return .with {
            $0.usageMicroseconds = cpu.usage.total / 1000
            $0.userMicroseconds = cpu.usage.user / 1000
            $0.systemMicroseconds = cpu.usage.kernel / 1000
            $0.nrPeriods = cpu.throttling.periods
            $0.nrThrottled = cpu.throttling.throttledPeriods
            $0.throttledMicroseconds = cpu.throttling.throttledTime / 1000
        }
    }

    private var memory2: CgroupV2.MemoryStat {
        let memory = statistics.memory
        return .with {
            $0.anon = raw("anon")
            $0.file = raw("file")
            $0.kernelStack = raw("kernel_stack")
            $0.slab = raw("slab")
            $0.sock = raw("sock")
            $0.shmem = raw("shmem")
            $0.fileMapped = raw("file_mapped")
            $0.fileDirty = raw("file_dirty")
            $0.fileWriteback = raw("file_writeback")
            $0.anonThp = raw("anon_thp")
            $0.inactiveAnon = raw("inactive_anon")
            $0.activeAnon = raw("active_anon")
            $0.inactiveFile = raw("inactive_file")
            $0.activeFile = raw("active_file")
            $0.unevictable = raw("unevictable")
            $0.slabReclaimable = raw("slab_reclaimable")
            $0.slabUnreclaimable = raw("slab_unreclaimable")
            $0.pgfault = raw("pgfault")
            $0.pgmajfault = raw("pgmajfault")
            $0.workingsetRefault = raw("workingset_refault_anon") &+ raw("workingset_refault_file")
            $0.workingsetActivate = raw("workingset_activate_anon") &+ raw("workingset_activate_file")
            $0.workingsetNodereclaim = raw("workingset_nodereclaim")
            $0.pgrefill = raw("pgrefill")
            $0.pgscan = raw("pgscan")
            $0.pgsteal = raw("pgsteal")
            $0.pgactivate = raw("pgactivate")
            $0.pgdeactivate = raw("pgdeactivate")
            $0.pglazyfree = raw("pglazyfree")
            $0.pglazyfreed = raw("pglazyfreed")
            $0.thpFaultAlloc = raw("thp_fault_alloc")
            $0.thpCollapseAlloc = raw("thp_collapse_alloc")
            $0.usage = memory.usage.usage
            $0.usageLimit = memory.usage.limit
            $0.maxUsage = memory.usage.max
            // Of memory and swap together, here.
            $0.swapUsage = memory.swap.usage >= memory.usage.usage ? memory.swap.usage - memory.usage.usage : 0
            $0.swapLimit =
                memory.swap.limit == .max ? .max : memory.swap.limit - min(memory.usage.limit, memory.swap.limit)
        }
    }

    private var io2: CgroupV2.IOStat {
        let blkio = statistics.blkio
        var entries: [CgroupV2.IOEntry] = []
        func add(_ entry: Statistics.Blkio.Entry, _ set: (inout CgroupV2.IOEntry) -> Void) {
            if let index = entries.firstIndex(where: { $0.major == entry.major && $0.minor == entry.minor }) {
                return set(&entries[index])
            }
            entries.append(
                .with {
                    $0.major = entry.major
                    $0.minor = entry.minor
                    set(&$0)
                })
        }
        for entry in blkio.serviceBytes {
            add(entry) { if entry.operation == .read { $0.rbytes = entry.value } else { $0.wbytes = entry.value } }
        }
        for entry in blkio.serviced {
            add(entry) { if entry.operation == .read { $0.rios = entry.value } else { $0.wios = entry.value } }
        }
        return .with { $0.usage = entries }
    }
}
