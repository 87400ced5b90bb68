// SPDX-License-Identifier: Apache-2.0
import Glibc
public import Linux

/// Small files in a bundle, by which a shim is found again.
public enum BundleFile {
    /// Makes or replaces the file `name` in the open directory `bundle`: readers see the old one or the new one.
    public static func write(
        _ bytes: [UInt8], to name: String, in bundle: BorrowedDescriptor = .currentDirectory
    ) throws(HandshakeError) {
        // One of a kind, so that two who write at a time do not write into one.
        let temporary = ".\(name).\(getpid())"
        do throws(Errno) {
            let file = try FileDescriptor.open(
                temporary, at: bundle, [.writeOnly, .create, .truncate, .noFollow], mode: 0o600)
            try file.writeAll(bytes)
            try Directory.rename(temporary, to: name, at: bundle)
        } catch {
            try? Directory.remove(temporary, at: bundle, isDirectory: false)
            throw .bundleFile(operation: "write", name: name, error)
        }
    }

    /// All of the file `name`.
    ///
    /// - Returns: nil if there is none.
    public static func read(
        _ name: String, in bundle: BorrowedDescriptor = .currentDirectory, limit: Int
    ) throws(HandshakeError) -> [UInt8]? {
        do throws(Errno) {
            let file = try FileDescriptor.open(name, at: bundle, [.nonBlocking, .noFollow])
            guard try FileNode.status(of: file.borrowed).isRegularFile else { throw .invalidArgument }
            return try file.readAll(limit: limit)
        } catch .noSuchFile {
            return nil
        } catch {
            throw .bundleFile(operation: "read", name: name, error)
        }
    }

    /// Where the shim serves, as containerd reads it when it starts again.
    static let address = "address"
}
