// SPDX-License-Identifier: Apache-2.0
public import Virtio
public import Linux
import Synchronization

/// The serial port COM1 as Linux' 8250 driver, its early console and its interrupt driven terminal use it: a 16550A.
///
/// Any number of vCPU threads may read and write its registers. None of them waits for who reads the output, and no
/// access takes memory.
public final class Serial: Sendable {
    /// Signalled when the interrupt line rises: for an irqfd, edge-triggered.
    public let interrupt: EventFD
    /// What the guest wrote.
    public let output: SerialOutput
    private let registers = Mutex(SerialRegisters())
    private let interruptCount = Counter()

    /// - Parameter outputByteCount: how much of the output is kept for its reader; a power of two.
    public init(outputByteCount: Int = 64 * 1024) throws(Errno) {
        interrupt = try EventFD()
        output = try SerialOutput(byteCount: outputByteCount)
    }

    /// The register at `offset`, from 0 to 7; 0xff beyond.
    public func read(_ offset: UInt8) -> UInt8 {
        registers.withLock {
            let value = $0.read(offset)
            // Reading can only lower it.
            _ = $0.updateLine()
            return value
        }
    }

    /// Sets the register at `offset`; nothing happens beyond 7.
    public func write(_ offset: UInt8, _ value: UInt8) {
        let rose = registers.withLock {
            // In the lock: there is one writer of the ring at a time, and bytes keep their order.
            if $0.write(offset, value) { output.put(value) }
            return $0.updateLine()
        }
        if rose { raise() }
    }

    /// Gives the guest `bytes` to read.
    ///
    /// - Returns: how many it took; it takes more once it has read these.
    public func receive(_ bytes: [UInt8]) -> Int {
        let (count, rose) = registers.withLock {
            // Looped back, a UART does not hear the wire.
            if $0.isLoopedBack { return (0, false) }
            var count = 0
            while count < bytes.count, $0.receive(bytes[count]) { count += 1 }
            return (count, $0.updateLine())
        }
        if rose { raise() }
        return count
    }

    private func raise() {
        interruptCount.add()
        interrupt.signal()
    }
}

extension Serial: Metered {
    /// As ``Metered/metrics``.
    public var metrics: [Metric] {
        [
            Metric("written_bytes", output.writtenCount), Metric("dropped_bytes", output.droppedCount),
            Metric("interrupts", interruptCount),
        ]
    }
}
