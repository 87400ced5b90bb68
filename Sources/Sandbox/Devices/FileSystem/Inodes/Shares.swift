// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Synchronization

/// A mount of the tree: a container's root, or a volume. Mounts within one are part of it.
final class Share: Sendable {
    /// As statx(2) and mountinfo number it. Numbers are used again, places are not taken twice at a time.
    let mount: UInt64
    /// Its path from the tree's top, as mountinfo writes it.
    let place: [UInt8]
    let openFileCount = Atomic<Int>(0)

    init(mount: UInt64, place: [UInt8]) {
        self.mount = mount
        self.place = place
    }

    /// - Parameter mounted: where each mount is.
    func isMounted(_ mounted: [UInt64: ArraySlice<UInt8>]) -> Bool {
        mounted[mount].map { $0.suffix(place.count).elementsEqual(place) } ?? false
    }
}

extension InodeTable.State {
    /// The share that what was found as `name` in `parent` belongs to: nil for the tree that the shares stand in.
    mutating func share(of identity: FileIdentity, as name: Name?, in parent: Inode) -> Share? {
        if let share = parent.share { return share }
        guard let name, let top = slots.first??.identity.mount, identity.mount != top,
            let place = place(of: name, in: parent)
        else { return nil }
        if let known = shares.first(where: { $0.mount == identity.mount && $0.place == place }) { return known }
        let share = Share(mount: identity.mount, place: place)
        shares.append(share)
        return share
    }

    /// Where `name` in `parent` is, from the tree's top, as mountinfo writes it.
    func place(of name: Name, in parent: Inode) -> [UInt8]? {
        var place = Self.written(name.terminated)
        var directory = parent
        while directory.id != InodeTable.rootID {
            guard !directory.name.isEmpty, let next = inode(directory.parent), place.count < 65536 else { return nil }
            place = Self.written(directory.name) + place
            directory = next
        }
        return place
    }

    /// A slash and the NUL-ended name, as mountinfo has it, proc(5).
    private static func written(_ name: [UInt8]) -> [UInt8] {
        var bytes = [UInt8(ascii: "/")]
        for byte in name.dropLast() {
            if byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x5c {
                bytes += [0x5c, 0x30 + byte >> 6, 0x30 + byte >> 3 & 7, 0x30 + byte & 7]
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    /// Forgets all inodes of `share`.
    mutating func revoke(_ share: Share) {
        for index in slots.indices.dropFirst() {
            guard let inode = slots[index], inode.share === share else { continue }
            if let siblings = submounts[inode.parent] {
                let rest = siblings.filter { $0 !== inode }
                submounts[inode.parent] = rest.isEmpty ? nil : rest
            }
            remove(inode)
        }
        shares.removeAll { $0 === share }
    }
}

extension InodeTable {
    /// Whether a share is known that is, or was, `name` in `parent`.
    func isPlaceOfShare(_ name: Name, in parent: Inode) -> Bool {
        guard parent.share == nil else { return false }
        return state.withLock { state in
            guard !state.shares.isEmpty, let place = state.place(of: name, in: parent) else { return false }
            return state.shares.contains { $0.place == place }
        }
    }
}

extension FileServer {
    /// Shares may have been taken out of the tree: what the guest knew and had open there is no more, whether it lets
    /// go or not.
    func revokeUnmounted() {
        for share in inodes.forgetUnmounted() {
            for handle in handles.remove(where: { $0.inode.share === share }) { inodes.closed(handle) }
        }
    }
}
