// SPDX-License-Identifier: Apache-2.0
import Glibc
import GuestMemory
import Linux

/// Measures a virtio file system server through its vhost-user socket, and prints one JSON object a figure.
///
///     fs-bench SOCKET NAME
///
/// The server's tree must hold `files/` with the files 0 to 999, a file `data` of 256 MiB, and let
/// `made/` be written to.
enum FileSystemBenchmark {
    private enum Op {
        static let lookup: UInt32 = 1
        static let getAttributes: UInt32 = 3
        static let open: UInt32 = 14
        static let read: UInt32 = 15
        static let write: UInt32 = 16
        static let release: UInt32 = 18
        static let initialize: UInt32 = 26
        static let create: UInt32 = 35
        static let unlink: UInt32 = 10
        static let forget: UInt32 = 2
    }

    private static let dataByteCount = 256 << 20

    static func run(_ arguments: [String]) -> Never {
        guard arguments.count == 3 else {
            print("usage: fs-bench SOCKET NAME")
            exit(1)
        }
        do {
            let socket = try UnixSocket.connect(to: arguments[1])
            let driver = try RequestDriver(connection: socket, memoryByteCount: 512 << 20)
            try measure(driver, arguments[2])
        } catch {
            print("fs-bench: \(error)")
            exit(1)
        }
        exit(0)
    }

    private static func measure(_ driver: RequestDriver, _ name: String) throws {
        try driver.prepare(depth: 1, dataRoom: 65536)
        _ = try driver.call(Op.initialize, 0, replyCount: 64) { body in
            try body.store(UInt32(7), at: 0)
            try body.store(UInt32(38), at: 4)
            try body.store(UInt32(1 << 20), at: 8)
            // What Linux 6.1 asks of a virtio file system, but for DAX.
            try body.store(UInt32(0x7bff_fffb), at: 12)
            for offset in stride(from: 16, to: 64, by: 8) { try body.store(UInt64(0), at: offset) }
            return 64
        }
        let files = try lookup(driver, "files", in: 1)
        let made = try lookup(driver, "made", in: 1)
        let data = try lookup(driver, "data", in: 1)
        for depth in [1, 16] {
            try driver.prepare(depth: depth, dataRoom: 65536)
            let suffix = depth == 1 ? "" : ", \(depth) at once"
            print(line(name, "lookup\(suffix)", try rate(driver, 0.5, lookups(files)), "operations/s"))
            print(
                line(
                    name, "metadata\(suffix)", try rate(driver, 1.0, metadata(files, made, "\(depth)")), "operations/s")
            )
            let handle = try open(driver, data, O_RDONLY)
            print(
                line(
                    name, "random read of 4 KiB\(suffix)",
                    try rate(driver, 1.0, reads(data, handle, 4096, random: true)), "operations/s"))
            try release(driver, data, handle)
        }
        try driver.prepare(depth: 4, dataRoom: 1 << 20)
        var handle = try open(driver, data, O_RDONLY)
        let readRate = try rate(driver, 1.0, reads(data, handle, 1 << 20, random: false))
        print(line(name, "sequential read of 1 MiB", readRate, "MiB/s"))
        try release(driver, data, handle)
        try driver.prepare(depth: 4, dataRoom: 1 << 20, writes: true)
        handle = try open(driver, data, O_RDWR)
        print(line(name, "sequential write of 1 MiB", try rate(driver, 1.0, writes(data, handle)), "MiB/s"))
        try release(driver, data, handle)
    }

    private static func line(_ name: String, _ what: String, _ value: Double, _ unit: String) -> String {
        "{\"name\": \"\(name): \(what)\", \"value\": \(Int(value)), \"unit\": \"\(unit)\"}"
    }

    /// How many requests a second are answered while each slot's next one is made by `next`, for `seconds`.
    private static func rate(
        _ driver: RequestDriver, _ seconds: Double, _ next: (RequestDriver, RequestDriver.Slot) throws -> Void
    ) throws -> Double {
        for slot in driver.slots {
            slot.step = 0
            try next(driver, slot)
        }
        try driver.notify()
        var count = 0
        var inFlight = driver.slots.count
        let start = now()
        var end = start
        while inFlight > 0 {
            try driver.collect { slot in
                count += 1
                inFlight -= 1
                if end - start < seconds {
                    try next(driver, slot)
                    inFlight += 1
                }
            }
            end = now()
            try driver.notify()
        }
        return Double(count) / (end - start)
    }

    private static func now() -> Double {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    // MARK: Loads

    private static func lookups(_ directory: UInt64) -> (RequestDriver, RequestDriver.Slot) throws -> Void {
        var count = 0
        return { driver, slot in
            count += 1
            let name = String(count % 1000)
            try driver.submit(slot, Op.lookup, directory, replyCount: 128) { try $0.store(name: name, at: 0) }
        }
    }

    /// What ls -l, a build and an editor ask for: lookup, attributes, open, close, create, close, remove, forget.
    private static func metadata(
        _ directory: UInt64, _ made: UInt64, _ prefix: String
    ) -> (RequestDriver, RequestDriver.Slot) throws -> Void {
        var count = 0
        return { driver, slot in
            if slot.step > 0 {
                let error = try slot.error()
                if error != 0 { throw RequestDriver.Refused(opcode: UInt32(slot.step), error: Errno(rawValue: error)) }
            }
            switch slot.step {
            case 0:
                count += 1
                let name = String(count % 1000)
                try driver.submit(slot, Op.lookup, directory, replyCount: 128) { try $0.store(name: name, at: 0) }
            case 1:
                slot.node = try slot.reply.slice.load(at: 0)
                try driver.submit(slot, Op.getAttributes, slot.node, replyCount: 104) { try zeros($0, 16) }
            case 2:
                try driver.submit(slot, Op.open, slot.node, replyCount: 16) { try zeros($0, 8) }
            case 3:
                slot.handle = try slot.reply.slice.load(at: 0)
                let handle = slot.handle
                try driver.submit(slot, Op.release, slot.node, replyCount: 0) { body in
                    _ = try zeros(body, 24)
                    try body.store(handle, at: 0)
                    return 24
                }
            case 4:
                count += 1
                let name = "\(prefix)-\(count)"
                slot.made = name
                try driver.submit(slot, Op.create, made, replyCount: 144) { body in
                    try body.store(UInt32(bitPattern: O_CREAT | O_WRONLY), at: 0)
                    try body.store(UInt32(0o100644), at: 4)
                    try body.store(UInt32(0o022), at: 8)
                    try body.store(UInt32(0), at: 12)
                    return try body.store(name: name, at: 16)
                }
            case 5:
                let handle: UInt64 = try slot.reply.slice.load(at: 128)
                slot.node = try slot.reply.slice.load(at: 0)
                try driver.submit(slot, Op.release, slot.node, replyCount: 0) { body in
                    _ = try zeros(body, 24)
                    try body.store(handle, at: 0)
                    return 24
                }
            case 6:
                try driver.submit(slot, Op.unlink, made, replyCount: 0) { try $0.store(name: slot.made, at: 0) }
            case 7:
                // A forget, which has no reply but comes back all the same.
                try driver.submit(slot, Op.forget, slot.node, replyCount: 0) { body in
                    try body.store(UInt64(1), at: 0)
                    return 8
                }
            default:
                // The header of the reply to FORGET was not written: start over.
                slot.step = 0
                count += 1
                let name = String(count % 1000)
                try driver.submit(slot, Op.lookup, directory, replyCount: 128) { try $0.store(name: name, at: 0) }
            }
            slot.step += 1
        }
    }

    private static func reads(
        _ node: UInt64, _ handle: UInt64, _ size: Int, random: Bool
    ) -> (RequestDriver, RequestDriver.Slot) throws -> Void {
        var position = 0
        var state: UInt64 = 88_172_645_463_325_252
        return { driver, slot in
            if random {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                position = Int(state % UInt64(dataByteCount / size)) * size
            } else {
                position = (position + size) % dataByteCount
            }
            let offset = position
            try driver.submit(slot, Op.read, node, replyCount: size) { body in
                _ = try zeros(body, 40)
                try body.store(handle, at: 0)
                try body.store(UInt64(offset), at: 8)
                try body.store(UInt32(size), at: 16)
                return 40
            }
        }
    }

    private static func writes(_ node: UInt64, _ handle: UInt64) -> (RequestDriver, RequestDriver.Slot) throws -> Void {
        var position = 0
        return { driver, slot in
            position = (position + 1 << 20) % dataByteCount
            let offset = position
            try driver.submit(slot, Op.write, node, replyCount: 8, sendsPayload: true) { body in
                _ = try zeros(body, 40)
                try body.store(handle, at: 0)
                try body.store(UInt64(offset), at: 8)
                try body.store(UInt32(1 << 20), at: 16)
                return 40
            }
        }
    }

    // MARK: Single requests

    private static func zeros(_ body: GuestSlice, _ count: Int) throws -> Int {
        for offset in stride(from: 0, to: count, by: 8) { try body.store(UInt64(0), at: offset) }
        return count
    }

    private static func lookup(_ driver: RequestDriver, _ name: String, in parent: UInt64) throws -> UInt64 {
        try driver.call(Op.lookup, parent, replyCount: 128) { try $0.store(name: name, at: 0) }.reply.slice.load(at: 0)
    }

    private static func open(_ driver: RequestDriver, _ node: UInt64, _ flags: Int32) throws -> UInt64 {
        try driver.call(Op.open, node, replyCount: 16) { body in
            try body.store(UInt32(bitPattern: flags), at: 0)
            try body.store(UInt32(0), at: 4)
            return 8
        }.reply.slice.load(at: 0)
    }

    private static func release(_ driver: RequestDriver, _ node: UInt64, _ handle: UInt64) throws {
        _ = try driver.call(Op.release, node, replyCount: 0) { body in
            _ = try zeros(body, 24)
            try body.store(handle, at: 0)
            return 24
        }
    }
}
