// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
public import Linux
import Synchronization

/// A network namespace of the test's own, with loopback in it and what the test adds.
public final class TestNamespace: Sendable {
    /// The namespace.
    public let file: FileDescriptor

    /// Why there is none here, or nil.
    public static let obstacle: String? = {
        do {
            let namespace = try TestNamespace()
            try namespace.ip("link", "add", "name", "a", "type", "veth", "peer", "name", "b")
            return nil
        } catch { return "no veth pair in a network namespace: \(error)" }
    }()

    /// Whether there is root, and `ip` of iproute2.
    public static var isAvailable: Bool { obstacle == nil }

    /// What a program said on its way to fail.
    public struct Failure: Error {
        /// Its command and its output.
        public let text: String
    }

    private final class Box<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, Errno>>(.failure(.noSuchProcess))
    }

    /// An empty one.
    public init() throws {
        file = FileDescriptor(
            owning: try Self.elsewhere { () throws(Errno) in
                try Process.unshare(.network)
                return try FileDescriptor.open("/proc/thread-self/ns/net").release()
            })
    }

    /// Runs `body` on a thread that is in the namespace. What it opens stays in there.
    public func inside<Value: Sendable>(_ body: @escaping @Sendable () throws(Errno) -> Value) throws -> Value {
        let namespace = file.borrowed
        return try Self.elsewhere { () throws(Errno) in
            try Process.enter(namespace, .network)
            return try body()
        }
    }

    private static func elsewhere<Value: Sendable>(
        _ body: @escaping @Sendable () throws(Errno) -> Value
    ) throws -> Value {
        let box = Box<Value>()
        // A thread leaves the namespace of the others for good.
        let thread = try Thread(named: "namespace") {
            let result: Result<Value, Errno>
            do throws(Errno) { result = .success(try body()) } catch { result = .failure(error) }
            box.result.withLock { $0 = result }
        }
        thread.join()
        return try box.result.withLock { $0 }.get()
    }

    /// Runs ip(8) in the namespace.
    ///
    /// - Returns: what it says.
    @discardableResult
    public func ip(_ arguments: String...) throws -> String { try run(["/usr/sbin/ip"] + arguments) }

    /// Runs tc(8) in the namespace.
    ///
    /// - Returns: what it says.
    @discardableResult
    public func tc(_ arguments: String...) throws -> String { try run(["/usr/sbin/tc"] + arguments) }

    private func run(_ words: [String]) throws -> String {
        let pipe = try FileDescriptor.pipe()
        let arguments = Array(words.dropFirst())
        let null = try FileDescriptor.open("/dev/null", [.readWrite])
        let (output, input) = (pipe.writer.borrowed, null.borrowed)
        let pid = try inside { () throws(Errno) in
            try Process.spawn(
                words[0], arguments, environment: ["PATH=/usr/sbin:/usr/bin"],
                descriptors: [0: input, 1: output, 2: output])
        }
        withExtendedLifetime(null.rawValue) {}
        let reader = pipe.takeReader()
        let text = String(decoding: try reader.readAll(limit: 1 << 24), as: UTF8.self)
        guard let ended = try Process.wait(for: pid), ended.status == .exited(code: 0) else {
            throw Failure(text: "\(words.joined(separator: " ")): \(text)")
        }
        return text
    }

    /// A packet socket on an interface in there, packet(7): each message is a frame. It sees what comes and what goes.
    public func packets(on index: UInt32) throws -> FileDescriptor {
        let number = try inside { () throws(Errno) in
            let socket = FileDescriptor(
                owning: Int32(
                    try syscall(__NR_socket, Int(AF_PACKET), 3 | CL_SOCK_CLOEXEC | CL_SOCK_NONBLOCK, 0)))
            // struct sockaddr_ll: every protocol, the interface.
            var address: (UInt32, UInt32, UInt32, UInt32, UInt32) = (0x0300_0011, index, 0, 0, 0)
            try unsafe withUnsafePointer(to: &address) { (address) throws(Errno) in
                _ = try unsafe syscall(__NR_bind, socket.borrowed.argument, address.argument, 20)
            }
            return socket.release()
        }
        return FileDescriptor(owning: number)
    }
}
