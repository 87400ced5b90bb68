// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// The running kernel's own settings: its names, clock, entropy and modules. Names and interfaces are the calling process's
/// namespaces' where it has some of its own.
public enum Kernel {
    /// sethostname(2), at most 64 bytes.
    public static func setHostname(_ name: String) throws(Errno) {
        try withPath(name) { (pointer) throws(Errno) in _ = try syscall(__NR_sethostname, pointer, name.utf8.count) }
    }

    /// setdomainname(2), at most 64 bytes.
    public static func setDomainName(_ name: String) throws(Errno) {
        try withPath(name) { (pointer) throws(Errno) in _ = try syscall(__NR_setdomainname, pointer, name.utf8.count) }
    }

    /// clock_settime(2), of the realtime clock: nanoseconds since 1970.
    public static func setTime(nanoseconds: Int64) throws(Errno) {
        var time: (Int64, Int64) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
        try unsafe withUnsafePointer(to: &time) { (pointer) throws(Errno) in
            _ = try unsafe syscall(__NR_clock_settime, 0, pointer.argument)
        }
    }

    /// RNDADDENTROPY of random(4): feeds the kernel's pool and credits every bit. `random` is open on /dev/random.
    public static func addEntropy(_ bytes: [UInt8], to random: borrowing FileDescriptor) throws(Errno) {
        // struct rand_pool_info: entropy count in bits, byte count, the bytes.
        var message = [Int32](repeating: 0, count: 2 + (bytes.count + 3) / 4)
        message[0] = Int32(bytes.count * 8)
        message[1] = Int32(bytes.count)
        let number = Int(random.rawValue)
        let result = unsafe message.withUnsafeMutableBytes { buffer in
            unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[8...]).copyBytes(from: bytes)
            return unsafe answer(__NR_ioctl, number, 0x4008_5203, buffer.argument)
        }
        try checked(result)
    }

    /// finit_module(2): loads the kernel module that is open as `module`. One that is there already is no error.
    public static func load(module: borrowing FileDescriptor) throws(Errno) {
        do {
            try withPath("") { (none) throws(Errno) in
                _ = try syscall(__NR_finit_module, Int(module.rawValue), none, 0)
            }
        } catch  where error == .exists {}
    }

    /// sync(2), then reboot(2) with RB_AUTOBOOT. Returns only where that is not allowed.
    public static func restart() throws(Errno) {
        try syscall(__NR_sync)
        try syscall(__NR_reboot, 0xfee1_dead, 672_274_793, 0x0123_4567, 0)
    }

    /// Brings the loopback interface of this network namespace up.
    public static func raiseLoopback() throws(Errno) {
        let socket = FileDescriptor(owning: Int32(try syscall(__NR_socket, Int(AF_INET), 2 | CL_SOCK_CLOEXEC, 0)))
        // struct ifreq, 40 bytes: a name of 16 bytes, then flags of two.
        var request = [UInt8](repeating: 0, count: 40)
        request[0] = UInt8(ascii: "l")
        request[1] = UInt8(ascii: "o")
        let number = Int(socket.rawValue)
        for operation in [SIOCGIFFLAGS, SIOCSIFFLAGS] {
            if operation == SIOCSIFFLAGS { request[16] |= 1 }  // IFF_UP
            try checked(
                unsafe request.withUnsafeMutableBytes { unsafe answer(__NR_ioctl, number, Int(operation), $0.argument) }
            )
        }
    }
}

#if arch(x86_64)
    extension Kernel {
        /// Writes one byte to an I/O port; takes CAP_SYS_RAWIO, and a kernel with ioperm(2).
        public static func write(port: UInt16, _ value: UInt8) throws(Errno) {
            try syscall(__NR_ioperm, Int(port), 1, 1)
            cl_port_write_u8(port, value)
            try syscall(__NR_ioperm, Int(port), 1, 0)
        }
    }
#endif
