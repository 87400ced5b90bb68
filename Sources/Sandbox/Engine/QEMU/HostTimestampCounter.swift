// SPDX-License-Identifier: Apache-2.0
import Linux

/// The host's time stamp counter, which is a translated guest's as well: QEMU's TCG hands RDTSC through.
enum HostTimestampCounter {
    /// Its frequency in kHz, where the host's kernel itself keeps time by it; nil where it does not, or is not known.
    ///
    /// A guest without ACPI has only the PIT to find it out with, which on a busy host fails and leaves the guest with a
    /// clock of 4 ms.
    static func kilohertz() -> Int? {
        let source = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
        guard let clock = text(source), let processors = text("/proc/cpuinfo") else { return nil }
        return kilohertz(clock: clock, processors: processors)
    }

    /// - Parameters:
    ///   - clock: `current_clocksource` of sysfs.
    ///   - processors: /proc/cpuinfo, whose `bogomips` is the counter's frequency in units of 500 kHz.
    static func kilohertz(clock: String, processors: String) -> Int? {
        guard clock.words == ["tsc"] || clock.words == ["kvm-clock"] else { return nil }
        for line in processors.split(at: "\n") where line.begins(with: "bogomips") {
            guard let value = line.split(at: ":").last?.words.first.flatMap({ Double($0) }) else {
                continue
            }
            // From 100 MHz to 100 GHz: anything else is no counter's frequency.
            guard (200...200_000).contains(value) else { return nil }
            return Int(value * 500)
        }
        return nil
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? FileDescriptor.open(path).readAll(limit: 1 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
