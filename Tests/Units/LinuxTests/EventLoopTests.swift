// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@Suite("Linux: event loop") struct EventLoopTests {
    @Test("A turn runs the actions of the ready descriptors and no others")
    func whatHappenedIsDone() throws {
        let loop = try EventLoop()
        let first = try EventFD()
        let second = try EventFD()
        var seen: [String] = []
        _ = try loop.watch(first.descriptor.borrowed, .readable) { _ in
            seen.append("first")
            first.drain()
        }
        _ = try loop.watch(second.descriptor.borrowed, .readable) { _ in
            seen.append("second")
            second.drain()
        }
        #expect(try !loop.turn(milliseconds: 0))
        second.signal()
        #expect(try loop.turn())
        #expect(seen == ["second"])
        first.signal()
        #expect(try loop.turn())
        #expect(try !loop.turn(milliseconds: 0))
        #expect(seen == ["second", "first"])
    }

    /// The one that is served first lets go of the other, which has happened already.
    @Test("A watch that another action ignores in the same turn does not run")
    func whatIsLetGoOfInItsRoundIsNotDone() throws {
        let loop = try EventLoop()
        let first = try EventFD()
        let second = try EventFD()
        var watches: [EventLoop.Watch] = []
        var count = 0
        let action: (Epoll.Events) -> Void = { _ in
            count += 1
            for watch in watches { loop.ignore(watch) }
        }
        watches.append(try loop.watch(first.descriptor.borrowed, .readable, action))
        watches.append(try loop.watch(second.descriptor.borrowed, .readable, action))
        first.signal()
        second.signal()
        #expect(try loop.turn())
        #expect(try !loop.turn(milliseconds: 0))
        #expect(count == 1)
    }

    @Test("A watch can be changed to other events, or to none")
    func anotherEventIsWaitedFor() throws {
        let loop = try EventLoop()
        let event = try EventFD()
        var count = 0
        let watch = try loop.watch(event.descriptor.borrowed, .readable) { _ in count += 1 }
        try loop.change(watch, to: .writable)
        #expect(try loop.turn())
        try loop.change(watch, to: [])
        event.signal()
        #expect(try !loop.turn(milliseconds: 0))
        #expect(count == 1)
    }

    @Test("A descriptor is watched once at a time, and again after it is ignored")
    func theSameDescriptorIsWatchedAgain() throws {
        let loop = try EventLoop()
        let event = try EventFD()
        var seen: [Int] = []
        let old = try loop.watch(event.descriptor.borrowed, .readable) { _ in seen.append(1) }
        #expect(throws: Errno.exists) { try loop.watch(event.descriptor.borrowed, .readable) { _ in } }
        loop.ignore(old)
        _ = try loop.watch(event.descriptor.borrowed, .readable) { _ in seen.append(2) }
        // It is not the old watch's any more.
        loop.ignore(old)
        event.signal()
        #expect(try loop.turn())
        #expect(seen == [2])
    }
}
