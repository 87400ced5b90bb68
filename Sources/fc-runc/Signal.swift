// SPDX-License-Identifier: Apache-2.0
import Linux

/// Signals by the names of signal(7), with or without `SIG`, in any case, and by number.
enum Signal {
    static let names: [String: Int32] = [
        "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "IOT": 6, "BUS": 7, "FPE": 8, "KILL": 9,
        "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "STKFLT": 16, "CHLD": 17, "CLD": 17,
        "CONT": 18, "STOP": 19, "TSTP": 20, "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26,
        "PROF": 27, "WINCH": 28, "IO": 29, "POLL": 29, "PWR": 30, "SYS": 31,
    ]
    /// The C library keeps 32 and 33 for itself.
    static let firstRealtime: Int32 = 34
    static let last: Int32 = 64

    static func number(_ text: String) throws(UsageError) -> Int32 {
        if let number = Int32(text) {
            // 0 asks whether the process exists.
            guard (0...last).contains(number) else { throw .signal(text) }
            return number
        }
        var name = text.uppercased()
        if let rest = name.after("SIG") { name = String(rest) }
        if let number = names[name] ?? realtime(name) { return number }
        throw .signal(text)
    }

    /// `RTMIN`, `RTMIN+3`, `RTMAX-1`, `RTMAX`.
    private static func realtime(_ name: String) -> Int32? {
        let base = name.begins(with: "RTMIN") ? firstRealtime : last
        guard let offset = name.after("RTMIN") ?? name.after("RTMAX") else { return nil }
        if offset.isEmpty { return base }
        guard offset.begins(with: "+") || offset.begins(with: "-"), let steps = Int32(offset), abs(steps) <= last else {
            return nil
        }
        return (firstRealtime...last).contains(base + steps) ? base + steps : nil
    }
}
