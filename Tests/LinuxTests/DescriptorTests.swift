import Glibc
import Linux
import Testing

@Suite("Descriptors")
struct DescriptorTests {
    @Test("A descriptor is closed with its owner, and only then")
    func ownership() throws {
        let pipe = try FileDescriptor.pipe()
        let reader = try pipe.reader.duplicate()
        func use(_ writer: consuming FileDescriptor) throws { try writer.writeAll([1, 2]) }
        let copy = try pipe.writer.duplicate()
        try use(copy)
        let both = try reader.read(upTo: 10)
        #expect(both == [1, 2])
        try reader.setNonBlocking(true)
        #expect(throws: Errno.wouldBlock) { _ = try pipe.reader.read(upTo: 1) }
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
        let number = root.rawValue
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
        try epoll.add(event.descriptor.rawValue, .readable, token: 0xdead_beef_0000_0001)
        var events = try epoll.wait(milliseconds: 0)
        #expect(events.isEmpty)
        event.signal()
        events = try epoll.wait(milliseconds: 1000)
        #expect(events.map(\.token) == [0xdead_beef_0000_0001] && events[0].events == .readable)
        try epoll.remove(event.descriptor.rawValue)
        events = try epoll.wait(milliseconds: 0)
        #expect(events.isEmpty)
    }
}

@Suite("Descriptor passing")
struct DescriptorPassingTests {
    func send(_ bytes: [UInt8], _ descriptors: [Int32], on socket: Int32) throws -> Int {
        try unsafe bytes.withUnsafeBytes { try unsafe DescriptorPassing.send($0, descriptors, on: socket) }
    }

    func receive(_ byteCount: Int, maximum: Int, from socket: Int32) throws -> ([UInt8], [Int32]) {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        let (count, descriptors) = try unsafe bytes.withUnsafeMutableBytes {
            try unsafe DescriptorPassing.receive(into: $0, maximum: maximum, from: socket)
        }
        return (Array(bytes[..<count]), descriptors)
    }

    @Test(
        "Descriptors arrive with their bytes, close-on-exec, and open on the same files", arguments: [0, 1, 2, 3, 253])
    func passing(count: Int) throws {
        let pair = try UnixSocket.pair()
        let pipe = try FileDescriptor.pipe()
        let sent = try send([7, 8], [Int32](repeating: pipe.writer.rawValue, count: count), on: pair.first.rawValue)
        #expect(sent == 2)
        let (bytes, descriptors) = try receive(16, maximum: 253, from: pair.second.rawValue)
        #expect(bytes == [7, 8] && descriptors.count == count)
        for number in descriptors {
            #expect(fcntl(number, F_GETFD) == FD_CLOEXEC)
            let descriptor = FileDescriptor(owning: number)
            try descriptor.writeAll([1])
        }
        if count > 0 {
            let arrived = try pipe.reader.read(upTo: 1000).count
            #expect(arrived == count)
        }
    }

    @Test("More than asked for are closed, not leaked")
    func excess() throws {
        let pair = try UnixSocket.pair()
        let reader: FileDescriptor
        do {
            let pipe = try FileDescriptor.pipe()
            reader = try pipe.reader.duplicate()
            _ = try send([1], [Int32](repeating: pipe.writer.rawValue, count: 5), on: pair.first.rawValue)
        }
        let number = pair.second.rawValue
        #expect(throws: Errno.messageTooLong) { _ = try receive(1, maximum: 4, from: number) }
        // Every writing end is closed now.
        let rest = try reader.read(upTo: 1)
        #expect(rest.isEmpty)
    }

    @Test("Too many to send are refused before the kernel is asked; the peer's end reads as nothing")
    func limits() throws {
        let pair = try UnixSocket.pair()
        let number = pair.first.rawValue
        #expect(throws: Errno.invalidArgument) { _ = try send([1], [Int32](repeating: 0, count: 254), on: number) }
        try UnixSocket.shutdownWriting(number)
        let (bytes, descriptors) = try receive(4, maximum: 1, from: pair.second.rawValue)
        #expect(bytes.isEmpty && descriptors.isEmpty)
    }
}
