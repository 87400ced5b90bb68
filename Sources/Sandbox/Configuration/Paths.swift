// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux

/// Environment variables of this process.
public enum Environment {
    public static subscript(name: String) -> String? {
        guard let value = unsafe getenv(name) else { return nil }
        // A C string of the environment, which is not changed while this reads it.
        return unsafe String(cString: value)
    }
}

/// Paths made absolute and rid of `.`, `..` and doubled slashes, by their text alone, as Go's filepath.Abs.
public enum AbsolutePath {
    public static func of(_ path: String) -> String {
        var full = path
        if !path.isAbsolutePath, let directory = unsafe getcwd(nil, 0) {
            // getcwd made the string, which is freed here.
            full = unsafe String(cString: directory) + "/" + path
            unsafe free(directory)
        }
        return full.cleanedPath
    }
}

/// Where `make install` put what belongs to the running program.
enum Installation {
    /// Where programs are that were copied away from what belongs to them: a shim that containerd finds by its path.
    private static let usual = ["/usr/local", "/usr"]

    /// The directory above the one the program lies in, symlinks resolved: `/usr/local` of `/usr/local/bin/fc-runc`; where
    /// there is no `libexec/fc-runc` below it, the usual one that has it.
    static func prefix() throws(ConfigurationError) -> String {
        prefix(besides: try directoryAboveProgram(), usual)
    }

    static func prefix(besides own: String, _ usual: [String]) -> String {
        ([own] + usual).first { prefix in
            (try? FileDescriptor.open("\(prefix)/libexec/fc-runc", [.path, .directory])) != nil
        } ?? own
    }

    private static func directoryAboveProgram() throws(ConfigurationError) -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return -1 }
            // readlink fills at most the buffer and ends it with nothing.
            return unsafe readlink("/proc/self/exe", start.assumingMemoryBound(to: CChar.self), buffer.count)
        }
        guard count > 0, count < buffer.count else { throw .executablePath(Errno(rawValue: errno)) }
        return AbsolutePath.of(String(decoding: buffer[..<count], as: UTF8.self) + "/../..")
    }

    /// Where the guest's kernel and initramfs lie, which belong together: those of the trimmed kernel where `make
    /// guest-kernel` has built it, or the stock one's.
    static func guestDirectory(_ installed: String) -> String {
        let trimmed = installed + "/trimmed"
        let isThere = ["vmlinux", "initramfs.cpio"].allSatisfy {
            // access(2) reads the string and keeps nothing.
            unsafe access("\(trimmed)/\($0)", R_OK) == 0
        }
        return isThere ? trimmed : installed
    }
}
