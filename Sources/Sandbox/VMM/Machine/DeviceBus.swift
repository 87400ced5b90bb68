// SPDX-License-Identifier: Apache-2.0
import Boot
import Virtio

/// What a processor reaches beside memory: the registers of virtio devices, and the platform's own. Called by all
/// processors at once; what is behind it bears that.
///
/// Reading what is not there gives all ones, writing it does nothing, as on a real bus.
final class DeviceBus: Sendable {
    let platform: PlatformDevices
    private let transports: [MMIOTransport]

    /// - Parameter transports: by slot.
    init(transports: [MMIOTransport], platform: PlatformDevices) {
        self.transports = transports
        self.platform = platform
    }

    /// - Returns: what stands at `address`, nil where nothing does.
    func read(_ address: UInt64, width: Int) -> UInt64? {
        guard let (slot, offset) = place(of: address) else { return nil }
        return transports[slot].read(offset, width: width)
    }

    /// - Returns: whether something is there.
    func write(_ address: UInt64, width: Int, _ value: UInt64) -> Bool {
        guard let (slot, offset) = place(of: address) else { return false }
        transports[slot].write(offset, width: width, value)
        return true
    }

    private func place(of address: UInt64) -> (slot: Int, offset: UInt64)? {
        guard MachineLayout.deviceWindow.contains(address) else { return nil }
        let offset = address &- MachineLayout.deviceWindow.lowerBound
        let slot = Int(offset / MachineLayout.deviceByteCount)
        return slot < transports.count ? (slot, offset % MachineLayout.deviceByteCount) : nil
    }
}
