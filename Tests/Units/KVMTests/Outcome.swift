// SPDX-License-Identifier: Apache-2.0
import KVM
import Linux
import Synchronization
import Testing

/// What threads came to, by number.
final class Outcome: Sendable {
    private let exits = Mutex<[Int: Result<VCPUExit, any Error>]>([:])

    func note(_ number: Int, _ result: Result<VCPUExit, any Error>) {
        exits.withLock { $0[number] = result }
    }

    func exit(_ number: Int) throws -> VCPUExit {
        try #require(exits.withLock { $0[number] }).get()
    }
}

/// A thread that can be kept in an array.
final class Box {
    private var thread: Thread?

    init(_ thread: consuming Thread) {
        self.thread = consume thread
    }

    func join() {
        if let thread = thread.take() { thread.join() }
    }
}
