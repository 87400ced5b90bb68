// SPDX-License-Identifier: Apache-2.0
import Linux

/// A socket pair for each of a machine's disks, between QEMU and fc-vmm; closed when this goes.
struct DeviceChannels: ~Copyable {
    /// fc-vmm's ends, in the order of the disks.
    private(set) var monitors = DescriptorList()
    /// QEMU's ends.
    private(set) var machines = DescriptorList()

    mutating func add() throws(EngineError) {
        do {
            let pair = try UnixSocket.pair()
            monitors.append(pair.first)
            machines.append(pair.second)
        } catch {
            throw .makeChannel("a disk", error)
        }
    }

    /// All of them, the caller's.
    consuming func release() -> DescriptorList {
        var all = monitors
        all.append(machines)
        return all
    }
}
