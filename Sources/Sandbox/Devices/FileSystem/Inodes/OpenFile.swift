// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Synchronization

/// A descriptor of an open file or directory, counted as long as a handle uses it. Where descriptors are scarce, several
/// handles share one: nothing of an open file is the host's (places, appending, locks) but how it may be accessed.
final class OpenFile: Sendable {
    let descriptor: FileDescriptor
    /// What it was opened with.
    let flags: Int32
    private let place: DescriptorBudget.Place

    init(_ descriptor: consuming FileDescriptor, flags: Int32, in place: consuming DescriptorBudget.Place) {
        self.descriptor = descriptor
        self.flags = flags
        self.place = place
    }

    var borrowed: BorrowedDescriptor { descriptor.borrowed }
}

/// How many descriptors the guest's open files take, of those there are for them.
final class DescriptorBudget: Sendable {
    let limit: Int
    private let used = Atomic<Int>(0)
    /// One share may have this many times what is left: however many shares take all they can, one more finds some.
    private static let shareFactor = 16

    init(limit: Int) { self.limit = limit }

    var count: Int { used.load(ordering: .relaxed) }
    var isScarce: Bool { count >= limit / 4 * 3 }

    /// Room for one descriptor, until let go.
    struct Place: ~Copyable, Sendable {
        fileprivate let budget: DescriptorBudget
        fileprivate let share: Share?

        deinit {
            budget.used.subtract(1, ordering: .relaxed)
            share?.openFileCount.subtract(1, ordering: .relaxed)
        }
    }

    /// - Parameter isDivided: whether others than `share` are to find some.
    /// - Throws: `ENFILE` if no descriptor is left, or none for this share.
    func take(for share: Share?, isDivided: Bool) throws(Errno) -> Place {
        let (_, total) = used.add(1, ordering: .relaxed)
        let (_, own) = share?.openFileCount.add(1, ordering: .relaxed) ?? (0, 0)
        let place = Place(budget: self, share: share)
        let isFair = !isDivided || own <= Self.shareFactor * (limit - total)
        guard total <= limit, isFair else { throw Errno(rawValue: ENFILE) }
        return place
    }
}
