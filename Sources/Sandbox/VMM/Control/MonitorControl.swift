// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux
import Virtio

/// How a running monitor is asked and told: it answers on its control socket, and writes its figures to the log on
/// SIGUSR1. Both on the loop of the devices, for as long as this lives.
final class MonitorControl {
    private let loop: DeviceLoop
    private var works: [any DeviceWork] = []

    /// - Parameters:
    ///   - control: a listening unix socket, taken over.
    ///   - log: where figures go on SIGUSR1; stays the caller's.
    ///   - answer: what to say to a line on the control socket, and to the descriptor beside it.
    init(
        control: consuming FileDescriptor?, log: BorrowedDescriptor, loop: DeviceLoop, report: MetricsReport,
        answer: @escaping (String, inout FileDescriptor?) -> String?
    ) throws(VMMError) {
        self.loop = loop
        if let control {
            do throws(Errno) {
                works.append(
                    try ControlSocket(listener: control) { line, descriptor in
                        if line == "metrics" { return report.json }
                        return answer(line, &descriptor) ?? "error: \"\(line)\" is not understood"
                    })
            } catch {
                throw .prepare(operation: "control socket", error)
            }
        }
        works.append(
            try preparing("SIGUSR1", try MetricsSignal(report: report, log: log)))
        for work in works { try preparing("control", try loop.add(work) { _ in }) }
    }

    deinit { for work in works { loop.remove(work) } }
}

/// Writes the figures to the log, as one line, when SIGUSR1 comes.
private final class MetricsSignal: DeviceWork {
    private let signals: SignalDescriptor
    private let report: MetricsReport
    private let log: BorrowedDescriptor

    init(report: MetricsReport, log: BorrowedDescriptor) throws(Errno) {
        self.report = report
        self.log = log
        signals = try SignalDescriptor(of: SignalMask(SIGUSR1))
    }

    var readiness: BorrowedDescriptor { signals.descriptor.borrowed }

    func work(now: ContinuousClock.Instant) throws(VirtioError) -> ContinuousClock.Instant? {
        while signals.next() != nil {
            // A log that is full or gone is no reason to stop.
            try? log.duplicate().writeAll(Array((report.json + "\n").utf8))
        }
        return nil
    }
}
