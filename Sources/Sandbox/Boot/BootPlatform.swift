// SPDX-License-Identifier: Apache-2.0
public import GuestMemory
public import Linux

/// What one architecture's machine is to the kernel that begins in it: its address space, and how a kernel is put there.
/// The folder of the architecture's name has the one type that conforms, `MachineLayout`, and all tables, registers and
/// formats of kernels that are the architecture's.
public protocol BootPlatform: Sendable {
    /// What the first processor's registers hold when it begins.
    associatedtype Entry: Sendable

    /// - Throws: `.memorySize` where `memoryByteCount` is out of bounds or no whole number of pages.
    init(memoryByteCount: UInt64) throws(BootError)

    /// The guest's memory in all, in bytes.
    var memoryByteCount: UInt64 { get }
    /// Runs of RAM, by address.
    var regions: [MemoryRegion] { get }

    /// Where virtio-mmio registers lie, ``deviceByteCount`` a device.
    static var deviceWindow: Range<UInt64> { get }
    static var deviceByteCount: UInt64 { get }
    static var maximumDevices: Int { get }
    static var maximumProcessors: Int { get }

    /// The place of the machine's device number `index`, from 0, or nil where it has no more.
    static func slot(_ index: Int) -> DeviceSlot?

    /// What the machine asks of Linux on its command line, before what a user wants.
    static var kernelArguments: [String] { get }

    /// Fills `memory`, fresh and of this layout's regions, so that the first processor can begin.
    ///
    /// - Parameters:
    ///   - backing: the file all of whose bytes are `regions` back to back, open for writing, if the caller has it:
    ///     files are then moved into it without passing through the mapping. Its offset is changed.
    ///   - processors: 1 to ``maximumProcessors``.
    ///   - devices: those on virtio-mmio, each in a slot of ``slot(_:)``.
    func load(
        _ source: BootSource, into memory: GuestMemory, backing: BorrowedDescriptor?, processors: Int,
        devices: [DeviceSlot]
    ) throws(BootError) -> Entry
}

extension BootPlatform {
    /// The regions as GuestMemory maps them, from `file`, which holds `memoryByteCount` bytes.
    public func pieces(of file: BorrowedDescriptor) -> [GuestMemory.Piece] {
        regions.map { GuestMemory.Piece(start: $0.start, byteCount: $0.byteCount, file: file, offset: $0.fileOffset) }
    }
}

/// One run of RAM, and where its bytes lie in a file that holds all of the guest's memory back to back.
public struct MemoryRegion: Sendable, Equatable {
    /// Where the guest finds it.
    public let start: GuestAddress
    /// A whole number of pages.
    public let byteCount: UInt64
    /// In bytes.
    public let fileOffset: UInt64
    /// The first address behind it.
    public var end: UInt64 { start.rawValue + byteCount }
}

/// A virtio-mmio device's place: its registers and its interrupt, which is edge-triggered and active high.
///
/// Edge, as the monitor raises it through an irqfd, which is one pulse: on a level-triggered pin a pulse that comes
/// while the pin is masked is lost, and a held level would take a resampling eventfd and an exit for each interrupt.
public struct DeviceSlot: Sendable, Equatable {
    /// Of the first register, on a page of its own.
    public var address: UInt64
    /// How much of the address space it takes.
    public var byteCount: UInt64
    /// The number of its interrupt, KVM's "global system interrupt".
    public var gsi: UInt32

    /// ``BootPlatform/slot(_:)`` gives those that a machine has.
    public init(address: UInt64, byteCount: UInt64, gsi: UInt32) {
        self.address = address
        self.byteCount = byteCount
        self.gsi = gsi
    }
}
