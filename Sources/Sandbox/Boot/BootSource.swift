// SPDX-License-Identifier: Apache-2.0
public import Linux

/// What a guest is booted from. The descriptors are borrowed for the call, of regular files opened for reading.
public struct BootSource: Sendable {
    /// How a kernel is entered.
    public enum Entry: Sendable {
        /// PVH where the kernel has that entry, Linux's 64-bit entry elsewhere.
        case automatic
        /// PVH: Xen's documentation, misc/pvh.html.
        case pvh
        /// The 64-bit boot protocol: Linux Documentation/arch/x86/boot.rst.
        case linux64
    }

    /// How a kernel learns of the machine it is in.
    public enum Description: Sendable {
        /// From ACPI tables: all a stock kernel needs, and the only way for it to power the machine off.
        case acpi
        /// From an MP table, and of its devices from the command line, where the caller puts
        /// `CommandLine.withoutACPI(_:)`: for a kernel without ACPI. It cannot power the machine off: its init must
        /// end it by a restart, which then is a write of `Port.keyboardReset`.
        case mpTable
    }

    /// An uncompressed vmlinux (ELF-64) or a bzImage.
    public var kernel: BorrowedDescriptor
    /// A cpio archive, compressed or not, as the kernel takes it.
    public var initramfs: BorrowedDescriptor?
    /// At most 2047 bytes; the parameters of `CommandLine.platform` are not added.
    public var commandLine: String
    /// How the kernel is entered.
    public var entry: Entry
    /// How it learns of the machine.
    public var description: Description

    /// The descriptors stay the caller's.
    public init(
        kernel: BorrowedDescriptor, initramfs: BorrowedDescriptor?, commandLine: String, entry: Entry = .automatic,
        description: Description = .acpi
    ) {
        self.kernel = kernel
        self.initramfs = initramfs
        self.commandLine = commandLine
        self.entry = entry
        self.description = description
    }
}
