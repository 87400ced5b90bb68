import Linux

/// Submounts whose mount has gone: what was shown to the guest, and was taken away.
extension InodeTable {
    /// The most that is read of mountinfo: some ten thousand mounts.
    private static let mountinfoLimit = 4 << 20

    /// Nothing is called so at the tree's top any more, so whole shares may have gone. The submounts in them, which stay
    /// known until their names lead elsewhere, have no names now; what is open on them would keep their file systems
    /// on the host from ending.
    func forgetUnmounted() {
        // Those that were known before the mounts are looked at: one that comes later has come to stay.
        let known = state.withLock { $0.submounts.values.flatMap { $0 } }
        if known.isEmpty { return }
        guard let mounted = Self.mounts() else { return }
        let gone = known.filter { !mounted.contains($0.identity.mount) }
        if gone.isEmpty { return }
        state.withLock { state in
            for inode in gone {
                let rest = state.submounts[inode.parent]?.filter { $0 !== inode } ?? []
                state.submounts[inode.parent] = rest.isEmpty ? nil : rest
                if inode.lookups == 0 { state.remove(inode) }
            }
        }
    }

    /// The numbers of the mounts there are, as statx(2) gives them; nil where they cannot be read.
    private static func mounts() -> Set<UInt64>? {
        guard let bytes = try? FileDescriptor.open("/proc/thread-self/mountinfo").readAll(limit: mountinfoLimit) else {
            return nil
        }
        var mounts: Set<UInt64> = []
        for line in bytes.split(separator: 10) {
            // The first field, proc(5).
            let number = line.prefix { $0 != UInt8(ascii: " ") }
            guard let id = UInt64(String(decoding: number, as: UTF8.self)) else { return nil }
            mounts.insert(id)
        }
        return mounts
    }
}
