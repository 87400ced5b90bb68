// SPDX-License-Identifier: Apache-2.0
import Linux
import Testing

@testable import VMM

@Suite("The console's way to its log")
struct RelayTests {
    private func contents(_ file: borrowing FileDescriptor) throws -> [UInt8] {
        try FileDescriptor.open(file.borrowed.path).readAll(limit: 1 << 20)
    }

    @Test("The console's bytes are appended to the log until the relay ends")
    func everythingUntilTheConsoleEnds() throws {
        let file = try FileDescriptor.memory(named: "log")
        try file.writeAll(Array("before\n".utf8))
        let pipe = try FileDescriptor.pipe()
        let relay = try ConsoleRelay(console: pipe.reader.duplicate(), file: file.duplicate())
        let thread = try Thread(named: "relay") { relay.run() }
        try pipe.writer.writeAll(Array("Linux\n".utf8))
        try pipe.writer.writeAll(Array("panic\n".utf8))
        relay.end()
        thread.join()
        #expect(String(decoding: try contents(file), as: UTF8.self) == "before\nLinux\npanic\n")
    }

    @Test("A flood on the console is bounded in the log, and its end is kept")
    func aFlood() throws {
        let file = try FileDescriptor.memory(named: "log")
        var pipe: Pipe? = try FileDescriptor.pipe()
        let relay = try ConsoleRelay(console: pipe!.reader.duplicate(), file: file.duplicate())
        let thread = try Thread(named: "relay") { relay.run() }
        let line = [UInt8](repeating: UInt8(ascii: "x"), count: 65536)
        for _ in 0..<100 { try pipe!.writer.writeAll(line) }
        try pipe!.writer.writeAll(Array("the end".utf8))
        // The hang-up alone ends the copying.
        pipe = nil
        thread.join()
        let bytes = try contents(file)
        #expect(bytes.count < 300_000)
        #expect(bytes.suffix(7) == Array("the end".utf8)[...])
        #expect(String(decoding: bytes, as: UTF8.self).contains("bytes of console output left out here"))
    }
}
