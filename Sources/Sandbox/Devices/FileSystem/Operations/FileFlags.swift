// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// IOCTL: the flags and the project of a file, as chattr(1) has them. Linux asks for nothing else by this way that a
/// server of files could answer.
extension FileServer {
    /// The numbers of <linux/fs.h>, on machines of 64 bits.
    private enum Control: UInt32 {
        case getFlags = 0x8008_6601  // FS_IOC_GETFLAGS
        case setFlags = 0x4008_6602  // FS_IOC_SETFLAGS
        case getAttributes = 0x801c_581f  // FS_IOC_FSGETXATTR
        case setAttributes = 0x401c_5820  // FS_IOC_FSSETXATTR

        var isSetting: Bool { self == .setFlags || self == .setAttributes }
        var getting: Control { self == .setFlags ? .getFlags : self == .setAttributes ? .getAttributes : self }
        /// Of an int, or of struct fsxattr.
        var byteCount: Int { getting == .getFlags ? 4 : 28 }
        /// FS_IMMUTABLE_FL and FS_APPEND_FL, or FS_XFLAG_IMMUTABLE and FS_XFLAG_APPEND. A file that has one cannot be
        /// removed, and the host must be able to remove what a container leaves.
        var refused: UInt32 { getting == .getFlags ? 0x30 : 0x18 }
    }

    func control(_ exchange: Exchange) throws(Errno) {
        let number = try exchange.load(UInt64.self, at: 0)
        let flags = try exchange.load(UInt32.self, at: 8)
        let command = try exchange.load(UInt32.self, at: 12)
        let inputCount = try exchange.load(UInt32.self, at: 24)
        let outputCount = try exchange.load(UInt32.self, at: 28)
        guard flags & ~RequestFlag.controlDirectory == 0, let control = Control(rawValue: command) else {
            throw Errno(rawValue: ENOTTY)
        }
        let isDirectory = flags & RequestFlag.controlDirectory != 0
        let handle = isDirectory ? try handles.directory(number) : try handles.file(number)
        // Seven words hold either; the flags come first in both.
        var value: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0, 0)
        try call(control.getting, handle, &value)
        // struct fuse_ioctl_out, whose result is 0.
        exchange.put(zeros: 16)
        guard control.isSetting else {
            guard outputCount == UInt32(control.byteCount) else { throw .invalidArgument }
            // The value has 28 bytes, the most a control has.
            unsafe withUnsafeBytes(of: &value) { bytes in
                unsafe exchange.put(UnsafeRawBufferPointer(rebasing: bytes[..<control.byteCount]))
            }
            return
        }
        if isReadOnly { throw .readOnlyFileSystem }
        guard inputCount == UInt32(control.byteCount) else { throw .invalidArgument }
        // At most the 28 bytes that the value has.
        let wanted = try unsafe exchange.bytes(at: 32, count: control.byteCount)
        let before = value.0
        // Not longer than the value, as said.
        unsafe withUnsafeMutableBytes(of: &value) { unsafe $0.copyMemory(from: wanted) }
        guard (value.0 ^ before) & control.refused == 0 else { throw .notPermitted }
        try call(control, handle, &value)
    }

    private func call<Value>(_ control: Control, _ handle: Handle, _ value: inout Value) throws(Errno) {
        // The control moves at most as many bytes as the value has.
        try unsafe withUnsafeMutablePointer(to: &value) { (pointer) throws(Errno) in
            _ = unsafe try syscall(__NR_ioctl, handle.borrowed.argument, Int(control.rawValue), pointer.argument)
        }
    }
}
