import CLinux
import Glibc

/// A file system being put together, fsopen(2): its parameters are given one by one, so that an error is of one of
/// them, and all together are not bound to the page that mount(2) takes.
public struct FileSystemContext: ~Copyable {
    /// The longest value of a parameter, in bytes: fsconfig(2) takes 256 with the NUL.
    public static let valueLimit = 255

    private let descriptor: FileDescriptor

    /// - Throws: `ENODEV` where the kernel has no file system of the kind `type`.
    public init(_ type: String) throws(Errno) {
        descriptor = try withPath(type) { (name) throws(Errno) in
            // FSOPEN_CLOEXEC
            FileDescriptor(owning: Int32(try syscall(__NR_fsopen, name, 1)))
        }
    }

    /// A parameter and its value, FSCONFIG_SET_STRING.
    public borrowing func set(_ key: String, to value: String) throws(Errno) {
        try Mount.configure(descriptor.rawValue, key: key, value: value)
    }

    /// A parameter without a value, FSCONFIG_SET_FLAG.
    public borrowing func set(_ key: String) throws(Errno) {
        try Mount.configure(descriptor.rawValue, key: key, value: nil)
    }

    /// FSCONFIG_CMD_CREATE and fsmount(2): the file system, mounted nowhere yet.
    public borrowing func make(_ attributes: Mount.Attributes = []) throws(Errno) -> FileDescriptor {
        let number = Int(descriptor.rawValue)
        try syscall(__NR_fsconfig, number, 6, 0, 0, 0)
        return FileDescriptor(owning: Int32(try syscall(__NR_fsmount, number, 1, Int(attributes.rawValue))))
    }

    /// What the kernel has to say of the failures so far, oldest first, at most eight lines.
    public borrowing func messages() -> [String] {
        var lines: [String] = []
        // Each read(2) gives one message: a letter for its kind, a space, the text. ENODATA ends them.
        while lines.count < 8, let bytes = try? descriptor.read(upTo: 512), !bytes.isEmpty {
            let text = bytes.dropFirst(bytes.count > 2 && bytes[bytes.startIndex + 1] == 0x20 ? 2 : 0)
            lines.append(String(decoding: text.prefix { $0 != 0x0A && $0 != 0 }, as: UTF8.self))
        }
        return lines
    }
}
