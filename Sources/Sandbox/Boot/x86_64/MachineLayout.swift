// SPDX-License-Identifier: Apache-2.0
public import GuestMemory
public import Linux

/// The machine of x86-64: where things lie in the guest's physical address space, and which interrupts and ports they have. Written down
/// here and nowhere else: the tables the guest reads and the exits the monitor answers come from the same numbers.
///
///     0x0000_0000  RAM; the tables of this room below 1 MiB, see ``Table``
///     0x0010_0000  RAM: the kernel; the initramfs at its upper end
///     0xc000_0000  hole: nothing
///     0xd000_0000  hole: virtio-mmio registers, 4 KiB a device
///     0xfec0_0000  hole: I/O APIC        0xfee0_0000  hole: local APIC
///     0x1_0000_0000  RAM beyond 3 GiB
public struct MachineLayout: BootPlatform, Equatable {
    /// The guest's memory in all, in bytes.
    public let memoryByteCount: UInt64

    /// 32 MiB, below which a Linux with an initramfs does not start, to 512 GiB, which fits the 40 bits of physical
    /// address every processor with virtualization has.
    public static let memoryByteCounts: ClosedRange<UInt64> = 32 << 20...512 << 30
    /// Of the smallest page, in bytes.
    public static let pageByteCount: UInt64 = 4096

    /// Throws `BootError.memorySize` where `memoryByteCount` is out of bounds or no whole number of pages.
    public init(memoryByteCount: UInt64) throws(BootError) {
        guard Self.memoryByteCounts.contains(memoryByteCount), memoryByteCount % Self.pageByteCount == 0 else {
            throw .memorySize(byteCount: memoryByteCount, allowed: Self.memoryByteCounts)
        }
        self.memoryByteCount = memoryByteCount
    }

    /// The hole below 4 GiB in which devices lie: 1 GiB.
    public static let hole: Range<UInt64> = 0xc000_0000..<0x1_0000_0000

    /// Where RAM below the hole ends: kernel and initramfs lie below.
    public var lowMemoryEnd: UInt64 { min(memoryByteCount, Self.hole.lowerBound) }

    /// By address: what is below the hole, and the rest from 4 GiB on.
    public var regions: [MemoryRegion] {
        let low = MemoryRegion(start: GuestAddress(rawValue: 0), byteCount: lowMemoryEnd, fileOffset: 0)
        guard memoryByteCount > lowMemoryEnd else { return [low] }
        let high = MemoryRegion(
            start: GuestAddress(rawValue: Self.hole.upperBound), byteCount: memoryByteCount - lowMemoryEnd,
            fileOffset: lowMemoryEnd)
        return [low, high]
    }

    // MARK: Interrupts and processors

    /// Of the I/O APIC's registers, KVM's own.
    public static let ioAPICAddress: UInt64 = 0xfec0_0000
    /// Of each processor's local APIC, KVM's own.
    public static let localAPICAddress: UInt64 = 0xfee0_0000
    /// Local APIC identifiers are the processors' numbers; 255 is the broadcast, and one is left for the I/O APIC of
    /// those who want identifiers to differ.
    public static let maximumProcessors = 254

    /// The interrupt of COM1, as ever.
    public static let serialGSI: UInt32 = 4

    /// The interrupts devices take, in this order; KVM's I/O APIC has pins 0 to 23. Those from 16 on have never been
    /// anything else's. Below, 0 and 2 are the timer's, 1 the keyboard's, 3 and 4 serial ports' and 8 the clock's, which
    /// KVM treats apart.
    public static let deviceGSIs: [UInt32] = Array(16...23) + [5, 6, 7] + Array(9...15)

    // MARK: Devices

    /// Where virtio-mmio registers lie, 4 KiB a device, so that each can be a page of its own.
    public static let deviceWindow: Range<UInt64> =
        0xd000_0000..<0xd000_0000 + UInt64(deviceGSIs.count) * deviceByteCount
    /// A page.
    public static let deviceByteCount: UInt64 = 4096
    /// As many as there are interrupts for them.
    public static var maximumDevices: Int { deviceGSIs.count }

    /// The place of the machine's device number `index`, from 0, or nil where it has no more.
    public static func slot(_ index: Int) -> DeviceSlot? {
        guard deviceGSIs.indices.contains(index) else { return nil }
        return DeviceSlot(
            address: deviceWindow.lowerBound + UInt64(index) * deviceByteCount, byteCount: deviceByteCount,
            gsi: deviceGSIs[index])
    }

    /// What a write to ``Port/sleepControl`` asks for with SLP_EN set and S5 as the type: power off.
    public static func isPowerOff(sleepControl value: UInt8) -> Bool {
        value & 0x20 != 0 && value >> 2 & 7 == UInt8(sleepTypeOfS5)
    }

    /// SLP_TYP of the state S5, as the DSDT's \_S5 gives it.
    static let sleepTypeOfS5: UInt64 = 5
    /// What the guest writes to ``Port/reset``.
    public static let resetValue: UInt8 = 1

    // MARK: The kernel

    /// As ``BootPlatform/kernelArguments``.
    public static var kernelArguments: [String] { CommandLine.platform }

    /// As ``BootLoader/load(_:into:backing:layout:processors:devices:)``, for this layout.
    public func load(
        _ source: BootSource, into memory: GuestMemory, backing: BorrowedDescriptor?, processors: Int,
        devices: [DeviceSlot]
    ) throws(BootError) -> EntryState {
        try BootLoader.load(
            source, into: memory, backing: backing, layout: self, processors: processors, devices: devices)
    }
}
