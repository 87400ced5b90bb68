// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// A block device on a file, loop(4).
final class LoopDevice {
    let name: String
    private let device: FileDescriptor

    /// Why there is none here, or nil.
    static let obstacle: String? = {
        do {
            _ = try LoopDevice(on: try DiskFile.onDisk(sectors: 64))
            return nil
        } catch { return "\(error)" }
    }()

    static var isAvailable: Bool { obstacle == nil }

    init(on file: borrowing FileDescriptor) throws {
        let number = file.borrowed
        var made: (name: String, device: BorrowedDescriptor)?
        // Somebody else may take a free one meanwhile.
        for _ in 0..<20 where made == nil { made = try Self.attach(number) }
        guard let made else { throw Errno.busy }
        name = made.name
        device = FileDescriptor(owning: made.device)
    }

    private static func attach(_ file: BorrowedDescriptor) throws(Errno) -> (name: String, device: BorrowedDescriptor)?
    {
        let control = try FileDescriptor.open("/dev/loop-control", [.readWrite])
        let number = try syscall(__NR_ioctl, Int(control.rawValue), 0x4c82)  // LOOP_CTL_GET_FREE
        let name = "/dev/loop\(number)"
        let device = try FileDescriptor.open(name, [.readWrite])
        // LOOP_SET_FD.
        let result = cl_syscall(Int(__NR_ioctl), device.borrowed.argument, 0x4c00, file.argument, 0, 0, 0)
        if result == -Int(EBUSY) { return nil }
        guard result == 0 else { throw Errno(rawValue: Int32(-result)) }
        return (name, device.release())
    }

    deinit {
        _ = try? syscall(__NR_ioctl, device.borrowed.argument, 0x4c01)  // LOOP_CLR_FD
    }

    func open(_ options: OpenOptions) throws -> FileDescriptor { try .open(name, options) }

    /// LOOP_SET_CAPACITY: the file has another size.
    func resize() throws { try syscall(__NR_ioctl, device.borrowed.argument, 0x4c07) }
}
