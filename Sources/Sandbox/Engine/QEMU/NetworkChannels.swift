// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan

/// Where QEMU reaches fc-vmm for each of a machine's network slots; closed when this goes.
///
/// QEMU's vhost-user netdev takes no open descriptor: it connects to a socket by its path. So there is a directory for the
/// jail with nothing but these sockets in it, and fc-vmm accepts one connection at each.
struct NetworkChannels: ~Copyable {
    /// fc-vmm's: listening sockets, in the order of the slots.
    private(set) var listeners = DescriptorList()
    /// QEMU's: a detached mount of the directory; none where there are no slots.
    private(set) var directory = DescriptorList()

    /// The directory's place in QEMU's jail.
    static let place = "/networks"

    /// Makes the directory with the sockets of `slots`; once.
    mutating func add(_ slots: [NetworkSlot]) throws(EngineError) {
        if slots.isEmpty { return }
        do throws(Errno) {
            let context = try FileSystemContext("tmpfs")
            // QEMU is nobody: it may go in, and see nothing.
            for option in ["mode=0711", "size=4k"] { try context.set(option) }
            let mount = try context.mount([.noSetUID, .noDevices, .noExecute])
            for slot in slots {
                listeners.append(
                    try UnixSocket.listen(at: "/proc/self/fd/\(mount.rawValue)/\(slot.id)", backlog: 1))
                try FileNode.setPermissions(0o666, of: slot.id, at: mount.borrowed)
            }
            directory.append(mount)
        } catch {
            throw .makeChannel("a network slot", error)
        }
    }

    /// Hands all of them over to `channels`.
    consuming func release(to channels: inout DescriptorList) {
        channels.append(listeners)
        channels.append(directory)
    }
}
