// SPDX-License-Identifier: Apache-2.0
import GuestMemory
import Linux
import Testing
import VsockDriver

@testable import Vsock

@Suite("The packet header, virtio 1.2 §5.10.6")
struct PacketTests {
    @Test("Each field of the header has its place and byte order")
    func everyFieldHasItsPlace() throws {
        var packet = PacketHeader(
            sourceCID: 0x0102_0304_0506_0708, destinationCID: 2, sourcePort: 0x1112_1314, destinationPort: 0x2122_2324,
            operation: .readWrite)
        packet.payloadCount = 0x3132_3334
        packet.flags = 0x4142_4344
        packet.window = 0x5152_5354
        packet.forwarded = 0x6162_6364
        let expected: [UInt8] = [
            8, 7, 6, 5, 4, 3, 2, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0x14, 0x13, 0x12, 0x11, 0x24, 0x23, 0x22, 0x21, 0x34, 0x33,
            0x32, 0x31, 1, 0, 5, 0, 0x44, 0x43, 0x42, 0x41, 0x54, 0x53, 0x52, 0x51, 0x64, 0x63, 0x62, 0x61,
        ]
        #expect(packet.bytes == expected)
        let memory = try VsockDriver().memory
        let slice = try memory.slice(at: GuestAddress(rawValue: 65536), byteCount: 64)
        try packet.write(to: [slice])
        #expect(PacketHeader(in: [slice]) == packet)
        #expect(Array(slice.bytes().prefix(44)) == expected)
    }

    @Test("A header is read and written wherever the driver splits it", arguments: [1, 7, 8, 20, 43])
    func cut(at offset: Int) throws {
        let memory = try VsockDriver().memory
        let slice = try memory.slice(at: GuestAddress(rawValue: 65536), byteCount: 64)
        let parts = [
            try slice.part(from: 0, byteCount: offset), try slice.part(from: offset, byteCount: 0),
            try slice.part(from: offset, byteCount: 64 - offset),
        ]
        let packet = VsockDriver.packet(.shutdown, from: 77, to: 1024, forwarded: 9, payloadCount: 5, flags: 3)
        try packet.write(to: parts)
        #expect(PacketHeader(in: parts) == packet)
        #expect(PacketHeader(in: [slice]) == packet)
        #expect(parts.part(from: 44, byteCount: 100).byteCount == 20)
        #expect(PacketHeader(in: [parts[0]]) == nil)
    }

    @Test("An operation keeps its number, known or not")
    func unknownOperationsKeepTheirNumber() {
        for number: UInt16 in 0...9 { #expect(Operation(rawValue: number).rawValue == number) }
    }

    @Test(
        "A CONNECT line is parsed strictly into its port",
        arguments: [
            ("CONNECT 0", 0), ("CONNECT 1024", 1024), ("CONNECT 4294967295", 4_294_967_295),
            ("CONNECT 4294967296", nil),
            ("CONNECT ", nil), ("CONNECT -1", nil), ("CONNECT +1", nil), ("CONNECT 1 ", nil), ("connect 1", nil),
            ("", nil),
            ("CONNECT 0x10", nil), ("CONNECT  1", nil), ("CONNECT 1\r", nil),
        ] as [(String, UInt32?)])
    func lines(_ line: String, _ port: UInt32?) {
        #expect(UnixListener.port(in: Array(line.utf8)[...]) == port)
    }
}
