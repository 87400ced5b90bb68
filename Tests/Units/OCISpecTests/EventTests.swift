// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OCISpec

@Suite("Events as runc prints them") struct EventTests {
    private func text(_ event: Event) -> String { String(decoding: event.encoded(), as: UTF8.self) }

    @Test("An oom event is encoded as runc prints it")
    func outOfMemory() throws {
        let event = Event(.oom, id: "c1")
        #expect(text(event) == #"{"type":"oom","id":"c1"}"# + "\n")
        #expect(try Event.parse(event.encoded()) == event)
    }

    /// Word for word what runc 1.1.5 prints where nothing was counted, but for its `mems` and the like being absent.
    @Test("A stats event without figures is encoded as runc prints it")
    func nothingCounted() {
        #expect(
            text(Event(.stats, id: "c1", statistics: Statistics()))
                == #"{"type":"stats","id":"c1","data":{"cpu":{"usage":{"kernel":0,"user":0},"throttling":{}},"cpuset":{"#
                + #""cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"memory_spread_page":0,"#
                + #""memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,"sched_relax_domain_level":0},"#
                + #""memory":{"usage":{"limit":0,"failcnt":0},"swap":{"limit":0,"failcnt":0},"kernel":{"limit":0,"#
                + #""failcnt":0},"kernelTCP":{"limit":0,"failcnt":0}},"pids":{},"blkio":{},"hugetlb":{},"intel_rdt":{},"#
                + #""network_interfaces":null}}"# + "\n")
    }

    @Test("The figures of a stats event are encoded as runc prints them, and parsed back")
    func figures() throws {
        var statistics = Statistics()
        statistics.cpu.usage.total = 3
        statistics.cpu.throttling.throttledTime = 4
        statistics.cpu.psi = Statistics.Pressure()
        statistics.cpu.psi?.some.average10.hundredths = 150
        statistics.cpu.psi?.some.average60.hundredths = 1205
        statistics.cpu.psi?.full.average300.hundredths = 700
        statistics.memory.usage.limit = .max
        statistics.memory.raw = ["file": 2, "anon": 1]
        statistics.pids.current = 1
        statistics.blkio.serviceBytes = [.init(major: 8, minor: 0, operation: .write, value: 9)]
        statistics.microvm = try MonitorReport(parsing: bytes(#"{"boot":[{"stage":"<a>","wall_us":5}]}"#))
        let line = text(Event(.stats, id: "c1", statistics: statistics))
        for part in [
            #""cpu":{"usage":{"total":3,"kernel":0,"user":0},"throttling":{"throttledTime":4},"psi":{"some":{"#
                + #""avg10":1.5,"avg60":12.05,"avg300":0,"total":0},"full":{"avg10":0,"avg60":0,"avg300":7,"total":0}}}"#,
            #""usage":{"limit":18446744073709551615,"failcnt":0}"#, #""raw":{"anon":1,"file":2}"#,
            #""pids":{"current":1}"#,
            #""blkio":{"ioServiceBytesRecursive":[{"major":8,"op":"Write","value":9}]}"#,
            #""network_interfaces":null,"microvm":{"boot":[{"stage":"\u003ca\u003e","wall_us":5}]}}}"#,
        ] { #expect(line.contains(part), "\(part)") }
        #expect(line.split(separator: "\n").count == 1)
        statistics.cpu.psi = nil
        let whole = Event(.stats, id: "c1", statistics: statistics)
        #expect(try Event.parse(whole.encoded()) == whole)
    }

    @Test(
        "A malformed monitor report is refused with its reason",
        arguments: [
            ("", "the document ends too early"), ("{", "the document ends too early"),
            ("[]", "expected an object, found an array"),
            ("error: \"metrics\" is not understood", "unexpected character"), ("{}{}", "something follows"),
            (#"{"a":{"b":[1,2.5]}}"#, "a.b[1]: expected an integer, found a number"), (#"{"a":1e9}"#, "a: expected"),
            (#"{"a":18446744073709551616}"#, "a: expected"), (#"{"a":1,"a":2}"#, "given twice"),
            (String(repeating: "[", count: 1000), "nested too deeply"),
            (String(repeating: " ", count: 1 << 20) + "{}", "more than 1048576"),
        ])
    func noReport(_ text: String, _ words: String) {
        do throws(SpecError) {
            _ = try MonitorReport(parsing: bytes(text))
            Issue.record("taken")
        } catch {
            #expect(error.description.contains(words), "\(error)")
        }
    }
}
