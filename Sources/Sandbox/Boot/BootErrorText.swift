// SPDX-License-Identifier: Apache-2.0
extension BootError: CustomStringConvertible {
    /// For messages, in English.
    public var description: String { "\(stage): \(reason)" }

    private var reason: String {
        switch self {
        case .memorySize(let count, let allowed):
            "\(count) bytes are no whole pages from \(allowed.lowerBound) to \(allowed.upperBound) bytes"
        case .missingMemory(let start, let count): "no \(count) bytes at \(hex(start))"
        case .processorCount(let count, let limit): "\(count) is not from 1 to \(limit)"
        case .deviceCount(let count, let limit): "\(count) are more than \(limit)"
        case .deviceSlot(let slot):
            "the slot at \(hex(slot.address)), \(slot.byteCount) bytes, interrupt \(slot.gsi), is no free one"
        case .commandLineTooLong(let count, let limit): "\(count) bytes are more than \(limit)"
        case .commandLineByte(let byte, let offset): "byte \(byte) at offset \(offset) cannot stand there"
        case .status(_, let error): "fstat: \(error)"
        case .notRegularFile: "not a regular file"
        case .emptyFile: "the file is empty"
        case .read(_, let offset, let count, let error): "read of \(count) bytes at offset \(offset): \(error)"
        case .truncated(_, let offset, let count): "the file ends before \(count) bytes at offset \(offset)"
        case .send(_, let offset, let count, let error):
            "sendfile of \(count) bytes at offset \(offset) into guest memory: \(error)"
        case .initramfsTooBig(let count, let available):
            "\(count) bytes do not fit in the \(available) bytes of guest memory beside the kernel"
        case .notKernel: "neither an ELF file nor a bzImage"
        case .elf(let problem): problem.description
        case .segment(let index, let problem): "segment \(index) \(problem)"
        case .note(let index): "the notes of segment \(index) cannot be read"
        case .noPVHEntry: "no PVH entry (XEN_ELFNOTE_PHYS32_ENTRY)"
        case .entryOutsideKernel(let address): "the entry \(hex(address)) lies outside of what is loaded"
        case .bzImage(let problem): problem.description
        case .kernelTooBig(let start, let count, let end):
            "\(count) bytes from \(hex(start)) on do not fit in guest memory, which ends at \(hex(end))"
        case .memory(let error): "\(error)"
        }
    }
}

extension ELFProblem: CustomStringConvertible {
    /// For messages, in English.
    public var description: String {
        switch self {
        case .fileClass(let value): "ELF class \(value) is not 64-bit"
        case .byteOrder(let value): "ELF byte order \(value) is not little-endian"
        case .version(let value): "ELF version \(value) is not 1"
        case .type(let value): "ELF type \(value) is no executable"
        case .machine(let value): "ELF machine \(value) is not x86-64"
        case .programHeaders(let count, let size): "\(count) program headers of \(size) bytes cannot be"
        case .nothingToLoad: "no segment to load"
        }
    }
}

extension SegmentProblem: CustomStringConvertible {
    /// For messages, in English.
    public var description: String {
        switch self {
        case .fileSizeBeyondMemorySize(let file, let memory): "has \(file) bytes for \(memory) bytes of memory"
        case .outsideMemory(let start, let count): "lies outside of guest memory: \(count) bytes at \(hex(start))"
        case .overlaps(let index): "overlaps segment \(index)"
        }
    }
}

extension BZImageProblem: CustomStringConvertible {
    /// For messages, in English.
    public var description: String {
        switch self {
        case .protocolVersion(let value): "boot protocol \(value >> 8).\(value & 0xff) is older than 2.12"
        case .no64BitEntry: "the bzImage has no 64-bit entry"
        case .loadedLow: "a zImage, not a bzImage"
        case .setupSize: "the size of the setup code cannot be"
        case .noCode: "no code after the setup code"
        case .alignment(let alignment, let address): "address \(hex(address)) with alignment \(alignment) cannot be"
        case .initSize(let size): "init_size \(size) is less than the code"
        }
    }
}

func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
