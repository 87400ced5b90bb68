// SPDX-License-Identifier: Apache-2.0
@testable import FileSystem
import CLinux
import Glibc
import GuestMemory
import Linux
import Testing
import TestSupport
import Virtio

/// The device on real virtqueues, in this process and behind a vhost-user socket.
@Suite struct DeviceTests {
    private func device(_ tree: TemporaryTree, workers: Int = 4) throws -> FileSystemDevice {
        try FileSystemDevice(
            root: try FileDescriptor.open(tree.path, [.path, .directory]), tag: "share", workerCount: workers,
            descriptorLimit: 1000)
    }

    private func request(_ opcode: Opcode, _ node: UInt64, _ body: Bytes, unique: UInt64 = 1) -> [[UInt8]] {
        [
            Bytes().u32(UInt32(40 + body.bytes.count)).u32(opcode.rawValue).u64(unique).u64(node).zeros(16).bytes,
            body.bytes,
        ]
    }

    private func initialize(_ queue: MockQueue) throws {
        try queue.add(
            readable: request(.initialize, 0, Bytes().u32(7).u32(38).u32(0).u32(.max).zeros(48)), writable: [16, 64])
        try queue.notify()
        #expect(try queue.waitUsed().byteCount == 80)
    }

    @Test("The configuration space holds the tag, and bad tags and roots are refused")
    func configurationSpace() throws {
        let device = try device(try TemporaryTree())
        #expect(device.type == .fileSystem && device.queueSizes.count == 2)
        #expect(device.configuration.count == 40)
        #expect(device.configuration.prefix(6) == Array("share\0".utf8)[...] && device.configuration[36] == 1)
        for tag in ["", String(repeating: "t", count: 37), "a\0b"] {
            #expect(throws: FileSystemError.self) {
                try FileSystemDevice(root: try FileDescriptor.open("/tmp", [.path, .directory]), tag: tag)
            }
        }
        let notADirectory = try TemporaryTree()
        try notADirectory.file("f")
        #expect(throws: FileSystemError.tree(operation: "statx", .notDirectory)) {
            try FileSystemDevice(root: try FileDescriptor.open(notADirectory.at("f")), tag: "t")
        }
    }

    @Test("Fifty requests at a time each get their own answer", arguments: [false, true], [1, 4])
    func servesManyRequestsAtOnce(indirect: Bool, workers: Int) throws {
        let tree = try TemporaryTree()
        for index in 0..<50 { try tree.file("f\(index)", String(repeating: "x", count: index)) }
        let device = try device(tree, workers: workers)
        defer { device.reset() }
        let driver = try MockDriver(device: device)
        let queue = driver.queues[1]
        try initialize(queue)
        for _ in 0..<20 {
            var sizes: [UInt16: UInt64] = [:]
            for index in 0..<50 {
                let head = try queue.add(
                    readable: request(.lookup, 1, Bytes().text("f\(index)")), writable: [16, 128], indirect: indirect)
                sizes[head] = UInt64(index)
            }
            try queue.notify()
            for _ in 0..<50 {
                let used = try queue.waitUsed()
                let wanted = sizes.removeValue(forKey: used.head)
                #expect(used.byteCount == 144)
                #expect(Guest.Answer(written: 0, error: 0, body: Array(used.bytes[16...])).entry.size == wanted)
            }
        }
    }

    @Test("A SYNCFS and a LOOKUP under way together are both answered")
    func aSyncAndALookupAreBothAnswered() throws {
        let tree = try TemporaryTree()
        try tree.file("f")
        let device = try device(tree, workers: 2)
        defer { device.reset() }
        let driver = try MockDriver(device: device)
        let queue = driver.queues[1]
        try initialize(queue)
        // The whole file system to disk, and meanwhile other things.
        for round in 0..<10 {
            try queue.add(readable: request(.syncFileSystem, 1, Bytes().u64(0), unique: 7), writable: [16])
            try queue.notify()
            try queue.add(
                readable: request(.lookup, 1, Bytes().text("f"), unique: UInt64(100 + round)), writable: [16, 128])
            try queue.notify()
            var lengths: [Int] = []
            for _ in 0..<2 { lengths.append(try queue.waitUsed(milliseconds: 60_000).byteCount) }
            #expect(lengths.sorted() == [16, 144])
        }
    }

    @Test(
        "A LOOKUP is answered while a SYNCFS waits for the host",
        .enabled(if: Gate.lack == nil, "\(Gate.lack ?? "")"))
    func aSlowRequestHoldsUpNoOther() throws {
        let tree = try TemporaryTree()
        try tree.file("f")
        try tree.directory("slow")
        let device = try device(tree, workers: 2)
        let driver = try MockDriver(device: device)
        let queue = driver.queues[1]
        try initialize(queue)
        try queue.add(readable: request(.lookup, 1, Bytes().text("slow")), writable: [16, 128])
        try queue.notify()
        let slow = Guest.Answer(written: 0, error: 0, body: Array(try queue.waitUsed().bytes[16...])).node
        let gate = try Gate(before: tree.at("slow"))
        // A worker that waits ends with its request.
        defer {
            gate.open()
            device.reset()
        }
        try queue.add(readable: request(.syncFileSystem, slow, Bytes().u64(0)), writable: [16])
        try queue.notify()
        #expect(try gate.isWaitedAt())
        for _ in 0..<10 {
            try queue.add(readable: request(.lookup, 1, Bytes().text("f")), writable: [16, 128])
            try queue.notify()
            #expect(try queue.waitUsed(milliseconds: 20_000).byteCount == 144)
        }
        gate.open()
        let answer = try queue.waitUsed(milliseconds: 20_000)
        #expect(answer.byteCount == 16 && answer.bytes[4..<8] == [0, 0, 0, 0])
    }

    /// The guest's available index says at all times that there is more: stopping does not wait for its end.
    @Test("Reset returns while the guest keeps its ring full")
    func aGuestThatNeverStopsIsStopped() throws {
        let tree = try TemporaryTree()
        let device = try device(tree)
        let driver = try MockDriver(device: device)
        let queue = driver.queues[1]
        try initialize(queue)
        let over = EndFlag()
        let memory = driver.memory
        let request = try memory.allocate(Bytes().u32(40).u32(99).u64(1).u64(1).zeros(16).bytes)
        let reply = try memory.allocate(16)
        try queue.describe(100, address: request.address.rawValue, byteCount: 40, flags: 1, next: 101)
        try queue.describe(101, address: reply.address.rawValue, byteCount: 16, flags: 2)
        for slot in 0..<Int(queue.size) { try queue.available.store(UInt16(100), at: 4 + 2 * slot) }
        let available = queue.available
        let used = queue.used
        let size = queue.size
        let flooder = try Joiner {
            while !over.isSet {
                // Always a full ring ahead of what has been used.
                if let done = try? used.loadAcquire(at: 2) { try? available.storeRelease(done &+ size, at: 2) }
            }
        }
        let patience = Deadline(after: .seconds(10))
        let before = try used.loadAcquire(at: 2)
        // Kicks of a driver that has asked for nothing yet say nothing: they go on until the flood is being served.
        while try used.loadAcquire(at: 2) == before, !patience.hasPassed {
            queue.kick.signal()
            usleep(1000)
        }
        #expect(!patience.hasPassed, "the flood was never served")
        device.reset()
        over.set()
        flooder.join()
    }

    @Test("A FORGET on the high-priority queue takes effect")
    func urgentQueueIsServed() throws {
        let tree = try TemporaryTree()
        try tree.file("f")
        let device = try device(tree)
        defer { device.reset() }
        let driver = try MockDriver(device: device)
        try initialize(driver.queues[1])
        try driver.queues[1].add(readable: request(.lookup, 1, Bytes().text("f")), writable: [16, 128])
        try driver.queues[1].notify()
        let node = Guest.Answer(written: 0, error: 0, body: Array(try driver.queues[1].waitUsed().bytes[16...])).node
        try driver.queues[0].add(readable: request(.forget, node, Bytes().u64(1)))
        try driver.queues[0].notify()
        #expect(try driver.queues[0].waitUsed().byteCount == 0)
        try driver.queues[1].add(readable: request(.getAttributes, node, Bytes().zeros(16)), writable: [16, 104])
        try driver.queues[1].notify()
        #expect(try driver.queues[1].waitUsed().byteCount == 16)
    }

    @Test("The session survives a reset of the queues")
    func theSessionOutlivesTheQueues() throws {
        let tree = try TemporaryTree()
        try tree.file("f", "content")
        let device = try device(tree)
        let driver = try MockDriver(device: device)
        try initialize(driver.queues[1])
        try driver.queues[1].add(readable: request(.lookup, 1, Bytes().text("f")), writable: [16, 128])
        try driver.queues[1].notify()
        let node = Guest.Answer(written: 0, error: 0, body: Array(try driver.queues[1].waitUsed().bytes[16...])).node
        device.reset()
        device.reset()
        // As after a pause: other queues, the same guest.
        let resumed = try MockDriver(device: device)
        try resumed.queues[1].add(readable: request(.getAttributes, node, Bytes().zeros(16)), writable: [16, 104])
        try resumed.queues[1].notify()
        #expect(try resumed.queues[1].waitUsed().byteCount == 120)
        device.reset()
    }

    @Test("Broken chains come back empty, and the queue goes on")
    func brokenChainsAreReturnedOrStopTheQueue() throws {
        let tree = try TemporaryTree()
        let device = try device(tree)
        defer { device.reset() }
        let driver = try MockDriver(device: device)
        let queue = driver.queues[1]
        try initialize(queue)
        // A buffer outside memory, and a chain that leads to itself: both come back empty.
        try queue.describe(900, address: 0x10, byteCount: 64, flags: 0)
        try queue.offer(900)
        try queue.describe(901, address: 0x4000_0000, byteCount: 64, flags: 1, next: 901)
        try queue.offer(901)
        try queue.notify()
        let start = try queue.used.loadAcquire(at: 2)
        for _ in 0..<200 {
            if try queue.used.loadAcquire(at: 2) &- 1 == 2 { break }
            usleep(10_000)
        }
        #expect(try queue.used.loadAcquire(at: 2) == 3, "from \(start)")
        #expect(try queue.used.load(UInt32.self, at: 4 + 8 + 4) == 0)
        // And the queue goes on.
        try queue.add(readable: request(.getAttributes, 1, Bytes().zeros(16)), writable: [16, 104])
        try queue.notify()
        for _ in 0..<200 {
            if try queue.used.loadAcquire(at: 2) == 4 { break }
            usleep(10_000)
        }
        #expect(try queue.used.load(UInt32.self, at: 4 + 8 * 3 + 4) == 120)
    }

    @Test("The device works behind a vhost-user socket")
    func behindASocket() throws {
        let tree = try TemporaryTree()
        try tree.file("f", "over the wire")
        let served = try ServedBackend.start(try device(tree))
        do {
            let driver = try MockDriver(connection: FileDescriptor(owning: served.connection), queueSizes: [128, 128])
            #expect(try driver.frontend?.configuration(byteCount: 40)?.prefix(5) == Array("share".utf8)[...])
            try initialize(driver.queues[1])
            try driver.queues[1].add(readable: request(.lookup, 1, Bytes().text("f")), writable: [16, 128])
            try driver.queues[1].notify()
            #expect(try driver.queues[1].waitUsed().byteCount == 144)
            driver.hangUp()
        }
        #expect(served.backend.wait() == nil)
    }
}

/// Holds every open of a directory up until it is opened itself, fanotify(7).
private final class Gate {
    /// nil where there can be one; else why not.
    static let lack: String? = {
        do {
            let tree = try TemporaryTree()
            return try withExtendedLifetime(tree) {
                _ = try Gate(before: tree.path)
                return nil
            }
        } catch {
            return "fanotify: \(error)"
        }
    }()

    private var events: FileDescriptor?

    init(before directory: String) throws(Errno) {
        // FAN_CLASS_CONTENT and FAN_CLOEXEC; FAN_MARK_ADD; FAN_OPEN_PERM and FAN_ONDIR.
        let events = FileDescriptor(owning: Int32(try syscall(__NR_fanotify_init, 4 | 1, Int(O_RDONLY | O_CLOEXEC))))
        let group = events.borrowed
        try withPath(directory) { (path) throws(Errno) in
            _ = try syscall(__NR_fanotify_mark, group.argument, 1, 0x4001_0000, Int(AT_FDCWD), path)
        }
        self.events = consume events
    }

    /// Whether an open comes to wait at it.
    func isWaitedAt() throws(Errno) -> Bool {
        guard let number = events?.borrowed else { return false }
        return try !Poll.wait(number, .readable, until: Deadline(after: .seconds(20))).isEmpty
    }

    /// The opens that wait go on, and so do later ones.
    func open() { events = nil }
}
