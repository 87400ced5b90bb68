// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Linux
import SocketBridge

/// A connection of a program's that is carried to a port of the host's, once the host has taken it there.
final class HostConnection {
    private let loop: EventLoop
    private let greeting: SocketGreeting
    private var inner: FileDescriptor?
    private var outer: FileDescriptor?
    private var connecting: EventLoop.Watch?
    private var bridge: SocketBridge?
    private var whenFinished: ((HostConnection) -> Void)?

    /// - Parameters:
    ///   - inner: the program's connection.
    ///   - outer: is being connected to the host's port, where `greeting` goes first.
    ///   - whenFinished: called once, from within the loop, when nothing more is carried.
    init(
        _ loop: EventLoop, inner: consuming FileDescriptor, outer: consuming FileDescriptor, greeting: SocketGreeting,
        whenFinished: @escaping (HostConnection) -> Void
    ) throws(Errno) {
        self.loop = loop
        self.greeting = greeting
        let outside = outer.borrowed
        self.inner = consume inner
        self.outer = consume outer
        self.whenFinished = whenFinished
        connecting = try loop.watch(outside, .writable) { [unowned self] _ in connected() }
    }

    private func connected() {
        stopWaiting()
        guard let inner = inner.take(), let outer = outer.take(), Self.isConnected(outer.borrowed) else {
            return finish()
        }
        let bridge = SocketBridge(loop, inner, outer, preface: greeting.bytes) { [unowned self] in finish() }
        self.bridge = bridge
        bridge.begin()
    }

    static func isConnected(_ socket: BorrowedDescriptor) -> Bool {
        do {
            return try Socket.error(of: socket) == nil
        } catch {
            return false
        }
    }

    /// Ends it, without calling `whenFinished`.
    func cancel() {
        whenFinished = nil
        stopWaiting()
        bridge?.cancel()
    }

    private func stopWaiting() {
        if let connecting { loop.ignore(connecting) }
        connecting = nil
    }

    private func finish() {
        let told = whenFinished
        whenFinished = nil
        told?(self)
    }
}
