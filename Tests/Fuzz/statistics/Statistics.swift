// SPDX-License-Identifier: Apache-2.0
import Cgroup
import OCISpec

/// Figures as a guest and a monitor tell them: whatever the text is, it is refused, or comes to one line of JSON that
/// reads as the same event.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzStatistics(_ data: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    // libFuzzer gives `byteCount` readable bytes at `data` until this returns.
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: byteCount))
    let text = String(decoding: bytes, as: UTF8.self)
    let report = try? MonitorReport(parsing: bytes)
    for file in [
        "cpu.stat", "cpu.pressure", "memory.current", "memory.max", "memory.stat", "memory.swap.current", "pids.max",
        "io.stat",
    ] {
        guard var statistics = try? Statistics(cgroupFiles: [file: text]) else { continue }
        statistics.microvm = report
        let line = Event(.stats, id: "c", statistics: statistics).encoded()
        precondition(line.count { $0 == 0x0A } == 1 && line.last == 0x0A, "not one line")
        // Its decimals are written, and not read.
        statistics.cpu.psi = nil
        let event = Event(.stats, id: "c", statistics: statistics)
        precondition((try? Event.parse(event.encoded())) == event, "the event changed on the way")
    }
    return 0
}
