import CLinux
import Glibc
import Linux
import Virtio

/// What a monitor does for those who ask: it answers on its control socket, and writes its figures to the log on
/// SIGUSR1. Both on the loop of the devices, for as long as this lives.
final class Attendance {
    private let loop: DeviceLoop
    private var works: [any DeviceWork] = []

    /// - Parameters:
    ///   - control: a listening unix socket, taken over.
    ///   - log: where figures go on SIGUSR1; stays the caller's.
    ///   - answer: what to say to a line on the control socket.
    init(
        control: Int32?, log: Int32, loop: DeviceLoop, report: MetricsReport, answer: @escaping (String) -> String?
    ) throws(VMMError) {
        self.loop = loop
        if let control {
            works.append(
                try preparing("control socket") { () throws(Errno) in
                    try ControlSocket(listener: FileDescriptor(owning: control)) { line in
                        if line == "metrics" { return report.json }
                        return answer(line) ?? "error: \"\(line)\" is not understood"
                    }
                })
        }
        works.append(
            try preparing("SIGUSR1") { () throws(Errno) in try MetricsSignal(report: report, log: log) })
        for work in works { try preparing("control") { () throws(Errno) in try loop.add(work) { _ in } } }
    }

    deinit { for work in works { loop.remove(work) } }
}

/// Writes the figures to the log, as one line, when SIGUSR1 comes.
private final class MetricsSignal: DeviceWork {
    private let signals: SignalDescriptor
    private let report: MetricsReport
    private let log: Int32

    init(report: MetricsReport, log: Int32) throws(Errno) {
        self.report = report
        self.log = log
        signals = try SignalDescriptor(of: SignalMask(SIGUSR1))
    }

    var readiness: Int32 { signals.descriptor.rawValue }

    func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        while signals.next() != nil {
            // A log that is full or gone is no reason to stop.
            try? FileDescriptor.duplicate(of: log, minimum: 3).writeAll(Array((report.json + "\n").utf8))
        }
        return nil
    }
}
