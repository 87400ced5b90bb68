// SPDX-License-Identifier: Apache-2.0
/// The notes of a PT_NOTE, System V ABI ch. 5 "Note Section".
enum ELFNotes {
    /// XEN_ELFNOTE_PHYS32_ENTRY of "Xen", xen/include/public/elfnote.h.
    private static let physicalEntry: UInt32 = 18
    private static let owner: [UInt8] = [0x58, 0x65, 0x6e, 0]
    /// A kernel's notes are some hundred bytes.
    private static let maximumByteCount: UInt64 = 64 << 10

    /// The PVH entry the notes give, or nil.
    static func pvhEntry(
        _ file: ImageFile, index: Int, offset: UInt64, byteCount: UInt64, alignment: UInt64
    ) throws(BootError) -> UInt64? {
        guard byteCount <= maximumByteCount else { throw .note(index: index) }
        let notes = try file.bytes(at: offset, byteCount: Int(byteCount))
        // Names and descriptions are padded to 4 bytes; where the segment says so, to 8.
        let padding = alignment == 8 ? 7 : 3
        var position = 0
        while notes.count - position >= 12 {
            let nameCount = Int(notes.integer(UInt32.self, at: position))
            let descriptionCount = Int(notes.integer(UInt32.self, at: position + 4))
            let type: UInt32 = notes.integer(at: position + 8)
            // Sums of 32-bit numbers: they do not overflow.
            let description = (position + 12 + nameCount + padding) & ~padding
            guard description + descriptionCount <= notes.count else { throw .note(index: index) }
            if type == physicalEntry, Array(notes[position + 12..<position + 12 + nameCount]) == owner {
                // An unsigned 32- or 64-bit number; it is entered in 32-bit mode.
                switch descriptionCount {
                case 4: return UInt64(notes.integer(UInt32.self, at: description))
                case 8:
                    let entry: UInt64 = notes.integer(at: description)
                    guard entry <= UInt32.max else { throw .note(index: index) }
                    return entry
                default: throw .note(index: index)
                }
            }
            position = min(notes.count, (description + descriptionCount + padding) & ~padding)
        }
        return nil
    }
}
