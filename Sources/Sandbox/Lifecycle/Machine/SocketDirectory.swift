// SPDX-License-Identifier: Apache-2.0
import Linux

/// Paths of unix sockets are short (107 bytes), state directories need not be: a socket is named through an
/// open directory.
struct SocketDirectory: ~Copyable {
    let descriptor: FileDescriptor

    init(path: String) throws(Errno) {
        descriptor = try FileDescriptor.open(path, [.path, .directory, .noFollow])
    }

    /// A path for bind(2) or connect(2), good for as long as this directory is kept open.
    borrowing func path(of name: String) -> String {
        "/proc/self/fd/\(descriptor.rawValue)/\(name)"
    }
}
