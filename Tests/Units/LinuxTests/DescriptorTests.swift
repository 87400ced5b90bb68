// SPDX-License-Identifier: Apache-2.0
import Glibc
import Linux
import Testing

@Suite("Descriptors")
struct DescriptorTests {
    @Test("A consumed duplicate is closed, and the original stays open until it is consumed itself")
    func ownership() throws {
        let pipe = try FileDescriptor.pipe()
        let reader = pipe.reader
        let writer = pipe.writer
        func use(_ writer: consuming FileDescriptor) throws { try writer.writeAll([1, 2]) }
        let copy = try writer.duplicate()
        try use(copy)
        try writer.writeAll([3])
        let both = try reader.read(upTo: 10)
        #expect(both == [1, 2, 3])
        _ = consume writer
        // The pipe ends with its last writer: had the duplicate stayed open, this would wait in vain.
        let ended = try Poll.wait(reader.borrowed, .readable, until: Deadline(after: .seconds(10)))
        #expect(!ended.isEmpty)
        try reader.setNonBlocking(true)
        let rest = try reader.read(upTo: 1)
        #expect(rest.isEmpty)
    }

    @Test("A file longer than the limit is refused")
    func readLimit() throws {
        let file = try FileDescriptor.open("/proc/self/maps")
        #expect(throws: Errno(rawValue: EFBIG)) { _ = try file.readAll(limit: 10) }
    }

    @Test("A path with a NUL in it is refused, not cut")
    func embeddedNul() {
        #expect(throws: Errno.invalidArgument) { _ = try FileDescriptor.open("/proc/self/exe\0/x") }
        #expect(throws: Errno.invalidArgument) { _ = try UnixSocket.connect(to: "/tmp/a\0b") }
        #expect(throws: Errno.nameTooLong) { _ = try UnixSocket.listen(at: "/" + String(repeating: "x", count: 107)) }
    }

    @Test("openat2 keeps a resolution below its directory")
    func resolution() throws {
        let root = try FileDescriptor.open("/proc/self", .directory)
        let number = root.borrowed
        #expect(throws: Errno(rawValue: EXDEV)) {
            _ = try FileDescriptor.open("../self/status", at: number, resolve: .beneath)
        }
        #expect(throws: Errno.tooManyLinks) { _ = try FileDescriptor.open("exe", at: number, resolve: .noSymlinks) }
        _ = try FileDescriptor.open("status", at: number, resolve: .beneath)
    }

    @Test("Errors have the C library's words, as Go writes them")
    func errnoText() {
        #expect(Errno.noSuchFile.description == "no such file or directory")
        #expect(Errno.permissionDenied.description == "permission denied")
        #expect(Errno(rawValue: EXDEV).description == "invalid cross-device link")
    }

    @Test("An event is seen once, and a full counter does not block")
    func eventFD() throws {
        let event = try EventFD()
        let before = event.drain()
        event.signal()
        event.signal()
        let first = event.drain()
        let second = event.drain()
        #expect(!before && first && !second)
        var full = UInt64.max - 1
        let written = unsafe write(event.descriptor.rawValue, &full, 8)
        #expect(written == 8)
        event.signal()
        let last = event.drain()
        #expect(last)
    }

    @Test("epoll reports by token, and nothing when the time is up")
    func epoll() throws {
        let epoll = try Epoll()
        let event = try EventFD()
        try epoll.add(event.descriptor.borrowed, .readable, token: 0xdead_beef_0000_0001)
        var events = try epoll.wait(milliseconds: 0)
        #expect(events.isEmpty)
        event.signal()
        events = try epoll.wait(milliseconds: 1000)
        #expect(events.map(\.token) == [0xdead_beef_0000_0001] && events[0].events == .readable)
        try epoll.remove(event.descriptor.borrowed)
        events = try epoll.wait(milliseconds: 0)
        #expect(events.isEmpty)
    }
}

@Suite("Descriptor passing")
struct DescriptorPassingTests {
    func send(_ bytes: [UInt8], _ descriptors: [BorrowedDescriptor], on socket: BorrowedDescriptor) throws -> Int {
        try unsafe bytes.withUnsafeBytes { try unsafe DescriptorPassing.send($0, descriptors, on: socket) }
    }

    func receive(
        _ byteCount: Int, maximum: Int, _ descriptors: inout DescriptorList, from socket: BorrowedDescriptor
    ) throws -> [UInt8] {
        try DescriptorPassing.receive(upTo: byteCount, maximum: maximum, descriptors: &descriptors, from: socket)
    }

    @Test(
        "Descriptors arrive with their bytes, close-on-exec, and open on the same files", arguments: [0, 1, 2, 3, 253])
    func passing(count: Int) throws {
        let pair = try UnixSocket.pair()
        let pipe = try FileDescriptor.pipe()
        let sent = try send([7, 8], Array(repeating: pipe.writer.borrowed, count: count), on: pair.first.borrowed)
        #expect(sent == 2)
        var descriptors = DescriptorList()
        let bytes = try receive(16, maximum: 253, &descriptors, from: pair.second.borrowed)
        let arrived = descriptors.count
        #expect(bytes == [7, 8] && arrived == count)
        while let descriptor = descriptors.takeFirst() {
            let flags = fcntl(descriptor.rawValue, F_GETFD)
            #expect(flags == FD_CLOEXEC)
            try descriptor.writeAll([1])
        }
        if count > 0 {
            let arrived = try pipe.reader.read(upTo: 1000).count
            #expect(arrived == count)
        }
    }

    @Test("Received descriptors beyond the maximum are closed, not leaked")
    func excess() throws {
        let pair = try UnixSocket.pair()
        let reader: FileDescriptor
        do {
            let pipe = try FileDescriptor.pipe()
            reader = try pipe.reader.duplicate()
            _ = try send([1], Array(repeating: pipe.writer.borrowed, count: 5), on: pair.first.borrowed)
        }
        let number = pair.second.borrowed
        #expect(throws: Errno.messageTooLong) {
            var descriptors = DescriptorList()
            _ = try receive(1, maximum: 4, &descriptors, from: number)
        }
        // Every writing end is closed now.
        let rest = try reader.read(upTo: 1)
        #expect(rest.isEmpty)
    }

    @Test("Sending too many descriptors is refused, and a closed peer reads as no bytes")
    func limits() throws {
        let pair = try UnixSocket.pair()
        let number = pair.first.borrowed
        #expect(throws: Errno.invalidArgument) {
            _ = try send([1], Array(repeating: .standardInput, count: 254), on: number)
        }
        try UnixSocket.shutdownWriting(number)
        var descriptors = DescriptorList()
        let bytes = try receive(4, maximum: 1, &descriptors, from: pair.second.borrowed)
        let hasNone = descriptors.isEmpty
        #expect(bytes.isEmpty && hasNone)
    }
}
