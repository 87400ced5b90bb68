// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Testing

@testable import RuntimeState

@Suite("RuntimeState: process identity") struct ProcessIdentityTests {
    @Test("The identity of a running process is alive and can be opened")
    func thisProcessIsAlive() throws {
        let identity = try #require(ProcessIdentity(of: getpid()))
        #expect(identity.isAlive)
        let isOpen = identity.open() != nil
        #expect(isOpen)
    }

    @Test("Another process with the same pid is not the one, and gets no signal")
    func anotherOfTheSameNumberIsNot() throws {
        var identity = try #require(ProcessIdentity(of: getpid()))
        identity.startTime += 1
        #expect(!identity.isAlive)
        let isOpen = identity.open() != nil
        #expect(!isOpen)
        // Nothing is sent: this process would end.
        #expect(try !identity.signal(SIGKILL))
    }

    @Test("A pid without a process has no identity", arguments: [0, -1, Int32.min, Int32.max])
    func noProcess(_ pid: Int32) {
        #expect(ProcessIdentity(of: pid) == nil)
        #expect(!ProcessIdentity(pid: pid, startTime: 0).isAlive)
    }

    @Test("A zombie is not alive, even before it is reaped")
    func aZombieIsNotAlive() throws {
        let child = try Child()
        let identity = try #require(ProcessIdentity(of: child.pid))
        #expect(identity.isAlive)
        #expect(try identity.signal(0))
        #expect(throws: Errno.invalidArgument) { try identity.signal(99) }
        guard let descriptor = identity.open() else {
            Issue.record("no pidfd")
            return
        }
        #expect(try identity.signal(SIGKILL))
        // The pidfd tells of the end; nobody has reaped yet.
        let epoll = try Epoll()
        try epoll.add(descriptor.borrowed, .readable, token: 1)
        #expect(try epoll.wait(milliseconds: 10_000).count == 1)
        #expect(!identity.isAlive)
        try child.reap()
        #expect(!identity.isAlive)
        #expect(try !identity.signal(SIGTERM))
    }

    @Test("Spaces and parentheses in a process name do not mislead the stat parser")
    func readsTheNamesThatMislead() throws {
        let tail = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21\n"
        for name in ["sh", "a b", "x) R 1 1", "(", ")))", ""] {
            let stat = try #require(ProcessStat(Array("77 (\(name)) \(tail)".utf8)))
            #expect(stat.startTime == 4242)
            #expect(stat.state == UInt8(ascii: "S"))
        }
    }

    @Test(
        "A truncated or malformed stat line is refused",
        arguments: ["", "1 (sh", "1 (sh) S 1 2", "1 (sh) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x 20"])
    func refusesOtherLines(_ line: String) {
        #expect(ProcessStat(Array(line.utf8)) == nil)
    }
}
