// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import ProgramArguments

/// The program fc-vmm: a machine of our own, or the devices of a machine that QEMU runs; it lasts as long as the
/// machine does.
public enum Monitor {
    /// The whole program. Ends with 0 when the machine does, or with 1 and one line on the log, which is
    /// standard error where no log was given.
    public static func main() -> Never {
        // A log whose reader has gone must not take the machine along.
        signal(SIGPIPE, SIG_IGN)
        // A disk beyond the limit of file sizes is an error of the guest's request, no reason to end.
        signal(SIGXFSZ, SIG_IGN)
        // Waits until somebody looks for it (``MonitorControl``), and in every thread: in one that does not block it, it
        // would end the program.
        try? SignalMask.block(SignalMask(SIGUSR1))
        let words = Array(CommandLine.arguments.dropFirst())
        do {
            try run(words)
            Process.exitNow(0)
        } catch {
            let log = MonitorArguments.logDescriptor(in: words).map { BorrowedDescriptor(rawValue: $0) }
            report(error, to: log ?? .standardError)
            Process.exitNow(1)
        }
    }

    static func run(_ words: [String]) throws(VMMError) {
        let arguments: MonitorArguments
        do throws(ArgumentError) {
            arguments = try MonitorArguments(parsing: words)
        } catch {
            throw .arguments(error)
        }
        switch arguments {
        case .devices(let arguments): try QEMUDevices.serve(arguments)
        case .machine(let arguments):
            let end = try KVMMachine.run(arguments)
            if !end.isOrderly { throw .ended(end) }
        }
    }

    private static func report(_ error: VMMError, to log: BorrowedDescriptor) {
        // Nobody is left to be told that this failed.
        try? log.writeAll(Array("fc-vmm: \(error)\n".utf8))
    }
}
