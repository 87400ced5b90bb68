// SPDX-License-Identifier: Apache-2.0

/// Open file descriptors, owned: all are closed when their owner lets the list go.
@frozen
public struct DescriptorList: ~Copyable, Sendable {
    /// Each of them, for calls that do not keep it. They stay owned here.
    public private(set) var borrowed: [BorrowedDescriptor]

    /// None yet.
    public init() { borrowed = [] }

    deinit {
        for descriptor in borrowed { _ = FileDescriptor(owning: descriptor) }
    }

    /// How many there are.
    public var count: Int { borrowed.count }
    /// There is none.
    public var isEmpty: Bool { borrowed.isEmpty }

    /// Takes ownership of `descriptor`, behind the others.
    ///
    /// - Returns: what it is named by while the list owns it.
    @discardableResult
    public mutating func append(_ descriptor: consuming FileDescriptor) -> BorrowedDescriptor {
        let added = descriptor.release()
        borrowed.append(added)
        return added
    }

    /// Gives the first away; nil where none is left.
    public mutating func takeFirst() -> FileDescriptor? {
        borrowed.isEmpty ? nil : FileDescriptor(owning: borrowed.removeFirst())
    }

    /// Gives all of them away: they stay open until something else owns them.
    public consuming func release() -> [BorrowedDescriptor] {
        let released = borrowed
        borrowed = []
        return released
    }

    /// Takes over all of `others`.
    public mutating func append(_ others: consuming DescriptorList) {
        borrowed += others.borrowed
        others.borrowed = []
    }
}
