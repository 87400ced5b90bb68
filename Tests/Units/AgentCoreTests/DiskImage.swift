// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// A disk of the guest's, as far as the agent can tell: an image file on a loop device, loop(4), and a list of block
/// devices in which it has a serial.
final class DiskImage {
    /// nil where this machine can have one; else what it lacks.
    static let lack: String? = {
        if let lack = HostedAgent.lack { return lack }
        if unsafe access("/sbin/mke2fs", X_OK) != 0 { return "needs mke2fs of e2fsprogs" }
        do {
            let file = try FileDescriptor.memory(named: "disk")
            try file.writeAll([UInt8](repeating: 0, count: 1 << 16))
            detach(try attach(file.borrowed).device)
            return nil
        } catch { return "no loop device: \(error)" }
    }()

    let image: String
    /// In the place of /sys/block.
    let blockDevices: String
    private var loop: (name: String, device: BorrowedDescriptor)?
    var node: String { "/dev/" + (loop?.name ?? "") }

    /// - Parameter root: a directory that is copied onto the disk.
    init(serial: String, root: String) throws {
        let path = "/tmp/fc-disk-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        image = path + ".img"
        blockDevices = path
        _ = try FileDescriptor.open(image, [.writeOnly, .create, .exclusive], mode: 0o600)
        let pid = try Process.spawn("/sbin/mke2fs", ["-q", "-t", "ext4", "-d", root, image, "16M"])
        guard try Process.wait(for: pid)?.status == .exited(code: 0) else { throw Errno.inputOutput }
        let file = try FileDescriptor.open(image, .readWrite)
        let loop = try Self.attach(file.borrowed)
        self.loop = loop
        // Among others, which have none, or another's.
        for (name, text) in [(loop.name, serial + "\n"), ("aa", serial + "x\n"), ("zz", "")] {
            if name == loop.name { try Directory.make(path, mode: 0o755) }
            try Directory.make("\(path)/\(name)", mode: 0o755)
            if text.isEmpty { continue }
            try FileDescriptor.open("\(path)/\(name)/serial", [.writeOnly, .create], mode: 0o444)
                .writeAll(Array(text.utf8))
        }
    }

    deinit {
        if let loop {
            Self.detach(loop.device)
            for name in [loop.name, "aa", "zz"] {
                unsafe unlink("\(blockDevices)/\(name)/serial")
                unsafe rmdir("\(blockDevices)/\(name)")
            }
        }
        unsafe rmdir(blockDevices)
        unsafe unlink(image)
    }

    private static func attach(_ file: BorrowedDescriptor) throws(Errno) -> (name: String, device: BorrowedDescriptor) {
        for _ in 0..<20 {
            let control = try FileDescriptor.open("/dev/loop-control", .readWrite)
            let free = try syscall(__NR_ioctl, Int(control.rawValue), 0x4c82)  // LOOP_CTL_GET_FREE
            let device = try FileDescriptor.open("/dev/loop\(free)", .readWrite)
            do throws(Errno) {
                try syscall(__NR_ioctl, device.borrowed.argument, 0x4c00, file.argument)  // LOOP_SET_FD
                return ("loop\(free)", device.release())
            } catch .busy {
                // Somebody else took it meanwhile.
                continue
            }
        }
        throw .busy
    }

    private static func detach(_ device: BorrowedDescriptor) {
        let device = FileDescriptor(owning: device)
        _ = try? syscall(__NR_ioctl, device.borrowed.argument, 0x4c01)  // LOOP_CLR_FD
    }
}
