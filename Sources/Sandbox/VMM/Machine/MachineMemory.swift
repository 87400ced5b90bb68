// SPDX-License-Identifier: Apache-2.0
import Boot
import CLinux
import Glibc
import GuestMemory
import Linux

/// The guest's memory: a file without a name, shared with the back-ends of vhost-user devices, which can neither
/// shrink it nor be surprised by a shorter one.
final class MachineMemory {
    let file: FileDescriptor
    let pieces: [GuestMemory.Piece]
    let memory: GuestMemory

    init(_ layout: MachineLayout) throws(VMMError) {
        file = try preparing("guest memory") { () throws(Errno) in
            let file = try FileDescriptor.memory(named: "guest", allowsSealing: true)
            try syscall(__NR_ftruncate, file.borrowed.argument, Int(layout.memoryByteCount))
            try syscall(
                __NR_fcntl, file.borrowed.argument, CL_F_ADD_SEALS, CL_F_SEAL_SEAL | CL_F_SEAL_SHRINK | CL_F_SEAL_GROW)
            return file
        }
        pieces = layout.pieces(of: file.borrowed)
        do throws(GuestMemoryError) { memory = try GuestMemory(pieces) } catch { throw .memory(error) }
        advise()
    }

    /// Large pages where the host's administrator lets shared memory have them (shmem_enabled): fewer faults. And
    /// none of it in a core file.
    private func advise() {
        for region in memory.regions {
            for advice in [Int(MADV_HUGEPAGE), Int(MADV_DONTDUMP)] {
                // Where the kernel has no such advice to take, all works as well.
                _ = cl_syscall(
                    Int(__NR_madvise), Int(region.hostAddress), Int(region.byteCount), advice, 0, 0, 0)
            }
        }
    }
}
