// SPDX-License-Identifier: Apache-2.0
/// The kernel's command line.
public enum CommandLine {
    /// COMMAND_LINE_SIZE of Linux, its terminating NUL included.
    static let maximumByteCount = 2048

    /// The bytes with the NUL at the end.
    ///
    /// - Parameter limit: how many bytes the kernel takes, without the NUL.
    static func bytes(of line: String, limit: Int) throws(BootError) -> ByteTable {
        let bytes = Array(line.utf8)
        guard bytes.count <= limit else { throw .commandLineTooLong(byteCount: bytes.count, limit: limit) }
        if let offset = bytes.firstIndex(where: { $0 < 0x20 || $0 == 0x7f }) {
            throw .commandLineByte(bytes[offset], offset: offset)
        }
        var table = ByteTable(capacity: bytes.count + 1)
        table.append(bytes)
        table.append(UInt8(0))
        return table
    }
}
