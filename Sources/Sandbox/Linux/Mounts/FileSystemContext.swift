// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc

/// A file system that is being configured: fsopen(2), fsconfig(2), fsmount(2).
public struct FileSystemContext: ~Copyable {
    /// The longest value of an option, in bytes: fsconfig(2) takes 256 with the NUL.
    public static let valueLimit = 255

    private let descriptor: FileDescriptor

    /// - Throws: `ENODEV` where the kernel has no file system of kind `type`.
    public init(_ type: String) throws(Errno) {
        descriptor = try withPath(type) { (name) throws(Errno) in
            FileDescriptor(owning: Int32(try syscall(__NR_fsopen, name, 1)))
        }
    }

    /// One option of mount(8)'s, `key=value` or `key`, in the file system's own terms.
    public borrowing func set(_ option: String) throws(Errno) {
        let bytes = option.utf8
        guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else { return try set(option, to: nil) }
        try set(String(option[..<equals]), to: String(option[bytes.index(after: equals)...]))
    }

    /// One option by its key; `value` nil is a flag.
    public borrowing func set(_ key: String, to value: String?) throws(Errno) {
        let number = Int(descriptor.rawValue)
        try withPath(key) { (key) throws(Errno) in
            guard let value else {
                _ = try syscall(__NR_fsconfig, number, 0, key, 0, 0)
                return
            }
            try withPath(value) { (value) throws(Errno) in
                _ = try syscall(__NR_fsconfig, number, 1, key, value, 0)
            }
        }
    }

    /// Makes the file system and a mount of it, which is attached nowhere yet.
    public borrowing func mount(_ attributes: Mount.Attributes = []) throws(Errno) -> FileDescriptor {
        try syscall(__NR_fsconfig, Int(descriptor.rawValue), 6, 0, 0, 0)
        return FileDescriptor(
            owning: Int32(try syscall(__NR_fsmount, Int(descriptor.rawValue), 1, Int(attributes.rawValue))))
    }

    /// What the kernel has to say of what failed, at most eight lines of 200 bytes; often nothing.
    public borrowing func messages() -> [String] {
        var messages: [String] = []
        // A read is a message: `e text`, an error; `w` and `i` are warnings and what is good to know.
        while messages.count < 8, let bytes = try? descriptor.read(upTo: 256), bytes.count > 2 {
            let printable = bytes.dropFirst(2).prefix(200).filter { (0x20..<0x7f).contains($0) }
            messages.append(String(decoding: printable, as: UTF8.self))
        }
        return messages
    }
}
