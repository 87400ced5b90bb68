// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Synchronization

/// An open file or directory of the guest. The host's is closed with the last who uses it, so a request in flight
/// outlives a RELEASE.
final class Handle: Sendable {
    let inode: Inode
    let file: OpenFile
    let isDirectory: Bool
    /// Whether a read can be asked for what is at hand only, RWF_NOWAIT. Until the file system says no.
    let tellsOfWaiting = Atomic<Bool>(true)
    /// Where the descriptor of a directory stands: the cookie of the next entry.
    let position = Mutex<Int64>(0)

    init(_ file: OpenFile, on inode: Inode, isDirectory: Bool) {
        self.inode = inode
        self.file = file
        self.isDirectory = isDirectory
    }

    var borrowed: BorrowedDescriptor { file.borrowed }
}

/// The open files and directories by their numbers: the slot in the low 32 bits, how often it was used before
/// in the high, so that a number kept after RELEASE means nothing.
final class HandleTable: Sendable {
    private struct State {
        var slots: [Handle?] = []
        var generations: [UInt32] = []
        var free: [UInt32] = []
        var count = 0
    }

    private let state = Mutex(State())
    /// A bound on memory: descriptors have one of their own.
    private static let limit = 1 << 20

    var count: Int { state.withLock { $0.count } }

    /// - Throws: `ENFILE` where a million are open.
    func add(_ handle: Handle) throws(Errno) -> UInt64 {
        let number: UInt64? = state.withLock { state in
            guard state.count < Self.limit else { return nil }
            let slot: Int
            if let last = state.free.popLast() {
                slot = Int(last)
                state.slots[slot] = handle
            } else {
                slot = state.slots.count
                state.slots.append(handle)
                state.generations.append(0)
            }
            state.count += 1
            return UInt64(state.generations[slot]) << 32 | UInt64(slot)
        }
        guard let number else { throw Errno(rawValue: ENFILE) }
        return number
    }

    /// The open file `number`.
    func file(_ number: UInt64) throws(Errno) -> Handle {
        guard let handle = handle(number), !handle.isDirectory else { throw .badFileDescriptor }
        return handle
    }

    /// The open directory `number`.
    func directory(_ number: UInt64) throws(Errno) -> Handle {
        guard let handle = handle(number), handle.isDirectory else { throw .badFileDescriptor }
        return handle
    }

    private func handle(_ number: UInt64) -> Handle? {
        let slot = Int(number & 0xffff_ffff)
        return state.withLock { state in
            guard slot < state.slots.count, state.generations[slot] == number >> 32 else { return nil }
            return state.slots[slot]
        }
    }

    /// Takes `number` out of the table.
    func remove(_ number: UInt64, isDirectory: Bool) throws(Errno) -> Handle {
        let slot = Int(number & 0xffff_ffff)
        let handle: Handle? = state.withLock { state in
            guard slot < state.slots.count, state.generations[slot] == number >> 32,
                let handle = state.slots[slot], handle.isDirectory == isDirectory
            else { return nil }
            state.slots[slot] = nil
            state.generations[slot] &+= 1
            state.free.append(UInt32(slot))
            state.count -= 1
            return handle
        }
        guard let handle else { throw .badFileDescriptor }
        return handle
    }

    /// Takes out those for which `isMeant`; a new session takes all.
    ///
    /// - Returns: what was open.
    func remove(where isMeant: (Handle) -> Bool = { _ in true }) -> [Handle] {
        state.withLock { state in
            var handles: [Handle] = []
            for slot in state.slots.indices {
                guard let handle = state.slots[slot], isMeant(handle) else { continue }
                handles.append(handle)
                state.slots[slot] = nil
                state.generations[slot] &+= 1
                state.free.append(UInt32(slot))
            }
            state.count -= handles.count
            return handles
        }
    }
}
