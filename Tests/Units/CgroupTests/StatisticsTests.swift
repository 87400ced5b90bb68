// SPDX-License-Identifier: Apache-2.0
import OCISpec
import Testing

@testable import Cgroup

/// What a guest's kernel writes.
private let files = [
    "cpu.stat": """
    usage_usec 2500000
    user_usec 1500000
    system_usec 1000000
    nr_periods 12
    nr_throttled 3
    throttled_usec 4500

    """,
    "cpu.pressure": """
    some avg10=0.00 avg60=1.50 avg300=12.34 total=56
    full avg10=0.05 avg60=0.00 avg300=100.00 total=7

    """,
    "cpu.max": "max 100000\n", "cpu.weight": "100\n",
    "memory.current": "1048576\n", "memory.max": "33554432\n", "memory.peak": "2097152\n",
    "memory.swap.current": "4096\n", "memory.swap.max": "max\n",
    "memory.stat": "anon 500000\nfile 400000\nkernel_stack 16384\n",
    "pids.current": "3\n", "pids.max": "max\n",
    "io.stat": """
    254:0 rbytes=8192 wbytes=512 rios=2 wios=1 dbytes=0 dios=0
    7:0
    254:16 rbytes=1 wbytes=0 rios=1 wios=0 cost.vrate=100.00

    """,
]

@Suite("A container's figures, from its cgroup's files")
struct StatisticsTests {
    /// What is read where `file` has `text`, and all others what a kernel writes.
    private func read(_ file: String, _ text: String) throws(CgroupError) -> Statistics {
        try Statistics(cgroupFiles: files.merging([file: text]) { $1 })
    }

    @Test("Each figure of the cgroup files reaches its field")
    func everyFigureHasItsPlace() throws {
        let statistics = try Statistics(cgroupFiles: files)
        #expect(statistics.cpu.usage.total == 2_500_000_000)
        #expect(statistics.cpu.usage.user == 1_500_000_000 && statistics.cpu.usage.kernel == 1_000_000_000)
        #expect(statistics.cpu.throttling.periods == 12 && statistics.cpu.throttling.throttledPeriods == 3)
        #expect(statistics.cpu.throttling.throttledTime == 4_500_000)
        let pressure = try #require(statistics.cpu.psi)
        #expect(pressure.some.average300.hundredths == 1234 && pressure.some.total == 56)
        #expect(pressure.full.average10.hundredths == 5 && pressure.full.average300.hundredths == 10000)
        #expect(statistics.memory.psi == nil && statistics.blkio.psi == nil)
        #expect(statistics.memory.cache == 400_000)
        #expect(statistics.memory.usage.usage == 1 << 20 && statistics.memory.usage.max == 2 << 20)
        #expect(statistics.memory.usage.limit == 32 << 20)
        // With the memory, as version 1 counts swap.
        #expect(statistics.memory.swap.usage == 1 << 20 + 4096 && statistics.memory.swap.limit == .max)
        #expect(statistics.memory.raw == ["anon": 500_000, "file": 400_000, "kernel_stack": 16384])
        #expect(statistics.pids.current == 3 && statistics.pids.limit == 0)
        typealias Entry = Statistics.Blkio.Entry
        #expect(
            statistics.blkio.serviceBytes == [
                Entry(major: 254, minor: 0, operation: .read, value: 8192),
                Entry(major: 254, minor: 0, operation: .write, value: 512),
                Entry(major: 254, minor: 16, operation: .read, value: 1),
                Entry(major: 254, minor: 16, operation: .write, value: 0),
            ])
        #expect(statistics.blkio.serviced.map(\.value) == [2, 1, 1, 0])
        #expect(statistics.microvm == nil)
    }

    @Test("Missing and unknown cgroup files leave their figures empty")
    func whatIsNotThereIsNothing() throws {
        #expect(try Statistics(cgroupFiles: [:]) == Statistics())
        #expect(try Statistics(cgroupFiles: ["unheard.of": "x", "cpu.pressure": ""]) == Statistics())
        // No controller for swap: what is used is memory.
        let statistics = try Statistics(cgroupFiles: ["memory.current": "5\n", "memory.max": "9\n"])
        #expect(statistics.memory.swap.usage == 5 && statistics.memory.swap.limit == 9)
    }

    @Test("Figures that overflow saturate at the largest value")
    func numbersThatAddUpToTooMuch() throws {
        let most = "18446744073709551615"
        #expect(try read("cpu.stat", "usage_usec \(most)\n").cpu.usage.total == .max)
        #expect(try read("memory.swap.current", most).memory.swap.usage == .max)
        #expect(try read("memory.swap.max", most).memory.swap.limit == .max)
        #expect(try read("pids.max", "77").pids.limit == 77)
    }

    @Test(
        "A malformed cgroup file is refused by file and line, without its content",
        arguments: [
            ("memory.current", "", 1), ("memory.current", "x", 1), ("memory.current", "-1\n", 1),
            ("memory.current", "+1\n", 1), ("memory.current", "1 2\n", 1), ("memory.current", "1\n2\n", 1),
            ("memory.current", "18446744073709551616\n", 1), ("memory.current", "0x10\n", 1),
            ("memory.max", "maximum\n", 1), ("pids.current", "\u{661}\n", 1),
            ("cpu.stat", "usage_usec\n", 1), ("cpu.stat", "usage_usec 1\nuser_usec 1 1\n", 2),
            ("cpu.stat", "usage_usec 1.5\n", 1), ("memory.stat", "anon 1\nfile max\n", 2),
            ("memory.stat", "a\u{1b}[2J 1\n", 1), ("memory.stat", "\(String(repeating: "a", count: 65)) 1\n", 1),
            ("io.stat", "8 rbytes=1\n", 1), ("io.stat", "8:0:1 rbytes=1\n", 1), ("io.stat", ":0 rbytes=1\n", 1),
            ("io.stat", "8:0 rbytes\n", 1), ("io.stat", "8:0 r=b=1\n", 1),
            ("cpu.pressure", "some avg10=1 total=1\n", 1), ("cpu.pressure", "some avg10=1.234\n", 1),
            ("cpu.pressure", "some avg10=101.00\n", 1), ("cpu.pressure", "some avg10=nan total=1\n", 1),
            ("cpu.pressure", "some total=1.00\n", 1), ("memory.pressure", "some total=1\n= \n", 2),
        ])
    func malformed(_ file: String, _ text: String, _ line: Int) {
        do throws(CgroupError) {
            _ = try read(file, text)
            Issue.record("taken")
        } catch {
            guard case .malformed(file, line) = error else {
                Issue.record("\(error)")
                return
            }
            // Nothing of the guest's reaches a terminal.
            #expect("\(error)" == "\(file): line \(line) is malformed")
        }
    }

    @Test("A cgroup file of too many bytes or lines is refused")
    func textWithoutEnd() {
        for text in [String(repeating: "0", count: 1 << 16 + 1), String(repeating: "a 1\n", count: 1025)] {
            for file in ["memory.stat", "cpu.pressure", "io.stat", "memory.current"] {
                do throws(CgroupError) {
                    _ = try read(file, text)
                    Issue.record("taken")
                } catch {
                    guard case .tooLong(file) = error else {
                        Issue.record("\(error)")
                        return
                    }
                }
            }
        }
    }
}
