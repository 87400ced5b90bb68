// SPDX-License-Identifier: Apache-2.0
/// The configuration space of a file system device, struct virtio_fs_config of virtio 1.2 §5.11.4: the tag, padded with
/// NULs, and how many request queues there are.
public struct FileSystemConfiguration: Hashable, Sendable {
    /// What the guest mounts the file system by.
    public let tag: String

    /// The length of a tag in bytes of UTF-8; none of them is NUL.
    public static let tagByteCount = 1...36
    private static let requestQueueCount: UInt32 = 1

    /// - Returns: nil where `tag` is none.
    public init?(tag: String) {
        guard Self.tagByteCount.contains(tag.utf8.count), !tag.utf8.contains(0) else { return nil }
        self.tag = tag
    }

    /// Little-endian, as the driver reads it.
    public var bytes: [UInt8] {
        let padding = [UInt8](repeating: 0, count: Self.tagByteCount.upperBound - tag.utf8.count)
        return Array(tag.utf8) + padding + (0..<4).map { UInt8(truncatingIfNeeded: Self.requestQueueCount >> (8 * $0)) }
    }
}
