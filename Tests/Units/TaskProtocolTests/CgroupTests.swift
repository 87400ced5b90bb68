// SPDX-License-Identifier: Apache-2.0
import TaskProtocol
import Testing

/// The figures' numbers: each field has its number as its value.
struct CgroupTests {
    func number(_ field: UInt64, _ value: UInt64) -> [UInt8] { WireBytes.number(field, value) }
    func bytes(_ field: UInt64, _ value: [UInt8]) -> [UInt8] { WireBytes.bytes(field, value) }
    func numbers(_ fields: ClosedRange<UInt64>) -> [UInt8] { fields.flatMap { number($0, $0) } }

    @Test("The memory figures of cgroup v1 have their public field numbers")
    func memoryOfV1() throws {
        let entry = numbers(1...4)
        let encoded = numbers(1...32) + bytes(33, entry) + bytes(34, entry) + bytes(35, entry) + bytes(36, entry)
        let memory = try CgroupV1.MemoryStat(decoding: encoded)
        #expect(memory.encoded() == encoded)
        #expect(memory.cache == 1 && memory.rss == 2 && memory.pgFault == 9 && memory.pgMajFault == 10)
        #expect(memory.inactiveFile == 13 && memory.hierarchicalMemoryLimit == 16 && memory.totalInactiveFile == 30)
        #expect(memory.usage?.limit == 1 && memory.usage?.usage == 2)
        #expect(memory.swap?.max == 3 && memory.kernelTCP?.failcnt == 4)
    }

    @Test("The other figures of cgroup v1 have their public field numbers")
    func theRestOfV1() throws {
        let usage = numbers(1...3) + bytes(4, [1, 2])
        let entry = WireBytes.text(1, "Read") + WireBytes.text(2, "sda") + numbers(3...5)
        let encoded =
            bytes(1, numbers(1...3) + WireBytes.text(4, "2MB")) + bytes(2, numbers(1...2))
            + bytes(3, bytes(1, usage) + bytes(2, numbers(1...3))) + bytes(4, number(1, 1))
            + bytes(5, bytes(1, entry) + bytes(2, entry)) + bytes(7, WireBytes.text(1, "eth0") + numbers(2...9))
            + bytes(9, numbers(1...3))
        let metrics = try CgroupV1.Metrics(decoding: encoded)
        #expect(metrics.encoded() == encoded)
        #expect(metrics.hugetlb.first?.pagesize == "2MB" && metrics.pids?.limit == 2)
        #expect(metrics.cpu?.usage?.kernel == 2 && metrics.cpu?.usage?.user == 3)
        #expect(metrics.cpu?.usage?.perCPU == [1, 2] && metrics.cpu?.throttling?.throttledTime == 3)
        #expect(metrics.blkio?.ioServicedRecursive.first?.value == 5 && metrics.network.first?.txDropped == 9)
        #expect(metrics.memoryOOMControl?.oomKill == 3)
    }

    @Test("The figures of cgroup v2 have their public field numbers")
    func v2() throws {
        let encoded =
            bytes(1, numbers(1...2)) + bytes(2, numbers(1...6)) + bytes(4, numbers(1...37))
            + bytes(6, bytes(1, numbers(1...6))) + bytes(7, numbers(1...2) + WireBytes.text(3, "2MB"))
            + bytes(8, numbers(1...5))
        let metrics = try CgroupV2.Metrics(decoding: encoded)
        #expect(metrics.encoded() == encoded)
        #expect(metrics.pids?.current == 1 && metrics.cpu?.usageMicroseconds == 1)
        #expect(metrics.cpu?.throttledMicroseconds == 6 && metrics.memory?.inactiveFile == 13)
        #expect(metrics.memory?.usage == 32 && metrics.memory?.usageLimit == 33 && metrics.memory?.swapMaxUsage == 37)
        #expect(metrics.io?.usage.first?.wios == 6 && metrics.hugetlb.first?.pagesize == "2MB")
        #expect(metrics.memoryEvents?.oomKill == 5)
    }
}
