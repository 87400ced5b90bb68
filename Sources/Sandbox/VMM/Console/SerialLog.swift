// SPDX-License-Identifier: Apache-2.0
import Linux
import Serial
import Virtio

/// Copies a serial port's output to the console's log, on the loop of the devices.
///
/// It looks at once when the guest begins to write, and no more often than its pace while that goes on: a guest
/// that floods its console costs a bounded number of turns, and a ring's worth of copying in each.
final class SerialLog: DeviceWork {
    private let output: SerialOutput
    private var file: ConsoleFile
    private let beginning: ContinuousClock.Instant

    /// The time between two looks at a guest that goes on writing.
    static let pace = Duration.milliseconds(20)

    /// - Parameter file: a regular file; the console is added at its end.
    init(_ output: SerialOutput, file: consuming FileDescriptor) throws(VMMError) {
        do { self.file = try ConsoleFile(file) } catch { throw .prepare(operation: "console log", error) }
        self.output = output
        beginning = ContinuousClock.now
    }

    var readiness: BorrowedDescriptor { output.ready.descriptor.borrowed }

    func work(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let isQuiet = !copy(now) && output.arm()
        file.passTime(now: beginning.duration(to: now))
        let deadline = file.deadline.map { beginning + $0 }
        if isQuiet { return deadline }
        return min(now + Self.pace, deadline ?? now + Self.pace)
    }

    /// Copies what is left; for after the loop's end.
    func finish() {
        let now = ContinuousClock.now
        _ = copy(now)
        file.finish(now: beginning.duration(to: now))
    }

    /// - Returns: whether there was anything.
    private func copy(_ now: ContinuousClock.Instant) -> Bool {
        let bytes = output.take()
        if !bytes.isEmpty { file.add(bytes, now: beginning.duration(to: now)) }
        return !bytes.isEmpty
    }
}
