// SPDX-License-Identifier: Apache-2.0
import OCISpec
import TaskProtocol

// MARK: Version 1

extension CgroupMetrics {
    var version1: CgroupV1.Metrics {
        .with {
            $0.pids = .with {
                $0.current = statistics.pids.current
                $0.limit = statistics.pids.limit
            }
            $0.cpu = cpu1
            $0.memory = memory1
            $0.blkio = .with {
                $0.ioServiceBytesRecursive = statistics.blkio.serviceBytes.map(Self.entry1)
                $0.ioServicedRecursive = statistics.blkio.serviced.map(Self.entry1)
            }
            $0.memoryOOMControl = .with { $0.oomKill = memoryEvents["oom_kill"] ?? 0 }
        }
    }

    private var cpu1: CgroupV1.CPUStat {
        let cpu = statistics.cpu
        return .with {
            $0.usage = .with {
                $0.total = cpu.usage.total
                $0.kernel = cpu.usage.kernel
                $0.user = cpu.usage.user
            }
            $0.throttling = .with {
                $0.periods = cpu.throttling.periods
                $0.throttledPeriods = cpu.throttling.throttledPeriods
                $0.throttledTime = cpu.throttling.throttledTime
            }
        }
    }

    private static func entry1(_ entry: Statistics.Blkio.Entry) -> CgroupV1.BlkIOEntry {
        .with {
            $0.op = entry.operation.rawValue
            $0.major = entry.major
            $0.minor = entry.minor
            $0.value = entry.value
        }
    }

    private static func entry1(_ entry: Statistics.Memory.Entry) -> CgroupV1.MemoryEntry {
        .with {
            $0.limit = min(entry.limit, unlimited1)
            $0.usage = entry.usage
            $0.max = entry.max
        }
    }

    /// In the guest a cgroup's figures are those of all below it, so what version 1 tells twice is the same twice.
    private var memory1: CgroupV1.MemoryStat {
        let memory = statistics.memory
        func raw(_ name: String) -> UInt64 { memory.raw[name] ?? 0 }
        return .with {
            ($0.cache, $0.totalCache) = (raw("file"), raw("file"))
            ($0.rss, $0.totalRss) = (raw("anon"), raw("anon"))
            ($0.rssHuge, $0.totalRssHuge) = (raw("anon_thp"), raw("anon_thp"))
            ($0.mappedFile, $0.totalMappedFile) = (raw("file_mapped"), raw("file_mapped"))
            ($0.dirty, $0.totalDirty) = (raw("file_dirty"), raw("file_dirty"))
            ($0.writeback, $0.totalWriteback) = (raw("file_writeback"), raw("file_writeback"))
            ($0.pgFault, $0.totalPgFault) = (raw("pgfault"), raw("pgfault"))
            ($0.pgMajFault, $0.totalPgMajFault) = (raw("pgmajfault"), raw("pgmajfault"))
            ($0.inactiveAnon, $0.totalInactiveAnon) = (raw("inactive_anon"), raw("inactive_anon"))
            ($0.activeAnon, $0.totalActiveAnon) = (raw("active_anon"), raw("active_anon"))
            ($0.inactiveFile, $0.totalInactiveFile) = (raw("inactive_file"), raw("inactive_file"))
            ($0.activeFile, $0.totalActiveFile) = (raw("active_file"), raw("active_file"))
            ($0.unevictable, $0.totalUnevictable) = (raw("unevictable"), raw("unevictable"))
            $0.hierarchicalMemoryLimit = min(memory.usage.limit, Self.unlimited1)
            $0.hierarchicalSwapLimit = min(memory.swap.limit, Self.unlimited1)
            $0.usage = Self.entry1(memory.usage)
            $0.swap = Self.entry1(memory.swap)
            $0.kernel = .with {
                $0.limit = Self.unlimited1
                $0.usage = memory.raw["kernel"] ?? (raw("kernel_stack") &+ raw("slab"))
            }
            $0.kernelTCP = .with {
                $0.limit = Self.unlimited1
                $0.usage = raw("sock")
            }
        }
    }
}
