// SPDX-License-Identifier: Apache-2.0
public import GuestMemory
public import Linux

/// The files a guest is booted from, as errors name them.
public enum BootFile: String, Sendable {
    case kernel
    case initramfs
}

/// Why a guest's first state cannot be made. Each case is one check that failed, with what it was held against.
public enum BootError: Error, Equatable {
    // The machine that was asked for.

    /// Guest memory is too small, too big, or no whole number of pages.
    case memorySize(byteCount: UInt64, allowed: ClosedRange<UInt64>)
    /// The GuestMemory given does not have the layout's region here.
    case missingMemory(start: UInt64, byteCount: UInt64)
    case processorCount(Int, limit: Int)
    case deviceCount(Int, limit: Int)
    /// A device's registers or its interrupt lie where the layout has none, or where another device's lie.
    case deviceSlot(DeviceSlot)
    case commandLineTooLong(byteCount: Int, limit: Int)
    /// A byte no command line may hold: NUL would end it early, a newline would forge a line of the log.
    case commandLineByte(UInt8, offset: Int)

    // The files.

    case status(BootFile, Errno)
    /// Not a regular file: a directory, a pipe, a device.
    case notRegularFile(BootFile)
    case emptyFile(BootFile)
    case read(BootFile, offset: UInt64, byteCount: UInt64, Errno)
    /// The file ends before what its headers say it has, or it shrank while it was read.
    case truncated(BootFile, offset: UInt64, byteCount: UInt64)
    /// Sending it into the file that backs guest memory failed, on either side.
    case send(BootFile, offset: UInt64, byteCount: UInt64, Errno)
    /// More than lies between the end of the kernel and the end of what the kernel can reach.
    case initramfsTooBig(byteCount: UInt64, available: UInt64)

    // The kernel.

    /// Neither an ELF file nor a bzImage.
    case notKernel
    case elf(ELFProblem)
    case segment(index: Int, SegmentProblem)
    /// A PT_NOTE that cannot be walked.
    case note(index: Int)
    /// PVH was asked for, and the kernel has no note that says where its entry is.
    case noPVHEntry
    /// The entry lies in nothing that was loaded.
    case entryOutsideKernel(UInt64)
    case bzImage(BZImageProblem)
    /// What the kernel takes while it starts does not fit between 1 MiB and the end of low memory.
    case kernelTooBig(start: UInt64, byteCount: UInt64, memoryEnd: UInt64)

    /// A write into guest memory failed that the checks before should have kept inside.
    case memory(GuestMemoryError)
}

/// What can be wrong with an ELF header, System V ABI ch. 4.
public enum ELFProblem: Equatable, Sendable {
    /// ELFCLASS32 or nonsense: only 64-bit kernels are booted.
    case fileClass(UInt8)
    case byteOrder(UInt8)
    case version(UInt8)
    case type(UInt16)
    case machine(UInt16)
    /// No program headers, too many of them, or of another size than ELF-64's.
    case programHeaders(count: UInt16, entrySize: UInt16)
    /// No PT_LOAD.
    case nothingToLoad
}

/// What can be wrong with one PT_LOAD.
public enum SegmentProblem: Equatable, Sendable {
    /// More bytes in the file than in memory.
    case fileSizeBeyondMemorySize(UInt64, UInt64)
    /// Below 1 MiB, where the tables that describe the machine lie, or beyond low memory, or wrapping around.
    case outsideMemory(start: UInt64, byteCount: UInt64)
    case overlaps(index: Int)
}

/// What can be wrong with a bzImage's setup header, Linux Documentation/arch/x86/boot.rst.
public enum BZImageProblem: Equatable, Sendable {
    /// Older than protocol 2.12, which first told of a 64-bit entry.
    case protocolVersion(UInt16)
    case no64BitEntry
    /// A zImage, to be loaded below 1 MiB.
    case loadedLow
    /// setup_sects or the header's own length cannot be.
    case setupSize
    /// No protected-mode code.
    case noCode
    /// kernel_alignment is no power of two, or pref_address no multiple of it.
    case alignment(UInt32, address: UInt64)
    /// init_size is less than the code itself.
    case initSize(UInt32)
}

extension BootError {
    /// Where in the making of a guest this was met, for messages.
    public var stage: String {
        switch self {
        case .memorySize, .missingMemory, .memory: "guest memory"
        case .processorCount: "processors"
        case .deviceCount, .deviceSlot: "devices"
        case .commandLineTooLong, .commandLineByte: "kernel command line"
        case .status(let file, _), .notRegularFile(let file), .emptyFile(let file), .read(let file, _, _, _),
            .truncated(let file, _, _), .send(let file, _, _, _):
            file.rawValue
        case .initramfsTooBig: BootFile.initramfs.rawValue
        case .notKernel, .elf, .segment, .note, .noPVHEntry, .entryOutsideKernel, .bzImage, .kernelTooBig:
            BootFile.kernel.rawValue
        }
    }
}
