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
        do {
            let file = try FileDescriptor.memory(named: "guest", allowsSealing: true)
            try syscall(__NR_ftruncate, Int(file.rawValue), Int(layout.memoryByteCount))
            let seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL
            try syscall(__NR_fcntl, Int(file.rawValue), Int(F_ADD_SEALS), Int(seals))
            // What vhost-user back-ends are told are numbers that must not overlap, as the guest's addresses do not.
            let pieces = layout.pieces(of: file.rawValue).map { piece in
                var piece = piece
                piece.frontEndStart = piece.start.rawValue
                return piece
            }
            memory = try GuestMemory(pieces)
            self.file = file
            self.pieces = pieces
        } catch let error as Errno {
            throw .prepare(operation: "guest memory", error)
        } catch let error as GuestMemoryError {
            throw .memory(error)
        } catch {
            throw .prepare(operation: "guest memory", .notSupported)
        }
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
