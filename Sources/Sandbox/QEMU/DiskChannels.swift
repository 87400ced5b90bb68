import Engine
import Linux

/// A socket pair for each of a machine's disks, between QEMU and fc-vmm; closed when this goes.
struct DiskChannels: ~Copyable {
    /// fc-vmm's ends, in the order of the disks.
    private(set) var monitors: [Int32] = []
    /// QEMU's ends.
    private(set) var machines: [Int32] = []

    deinit {
        for descriptor in monitors + machines { _ = FileDescriptor(owning: descriptor) }
    }

    mutating func add() throws(EngineError) {
        do {
            let pair = try UnixSocket.pair()
            monitors.append(pair.first.release())
            machines.append(pair.second.release())
        } catch {
            throw .makeChannel("a disk", error)
        }
    }

    /// Lets go of all of them: they are the caller's.
    mutating func release() -> [Int32] {
        defer { (monitors, machines) = ([], []) }
        return monitors + machines
    }
}
