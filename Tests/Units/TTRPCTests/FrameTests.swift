// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import TTRPC

@Suite("TTRPC: frames") struct FrameTests {
    let bytes: [UInt8] = [0, 0, 0, 3, 0, 0, 1, 5, 1, 2, 7, 8, 9]

    @Test("A frame's header is read and written as ttrpc defines it")
    func headerAsTheProtocolHasIt() {
        let header = Frame.Header(bytes[0..<10])
        #expect(header.payloadByteCount == 3 && header.stream == 261 && header.kind == .request && header.flags == 2)
        #expect(Frame(stream: 5, .response, [1]).encoded == [0, 0, 0, 1, 0, 0, 0, 5, 2, 0, 1])
    }

    @Test("Frames are reassembled from pieces of any size")
    func piecesOfAnySize() throws {
        for size in 1...bytes.count * 3 {
            var reader = FrameReader()
            var payloads: [[UInt8]] = []
            let all = bytes + bytes + bytes
            for start in stride(from: 0, to: all.count, by: size) {
                reader.append(Array(all[start..<min(start + size, all.count)]))
                while case .frame(let frame) = try reader.next() { payloads.append(frame.payload) }
            }
            #expect(payloads == [[7, 8, 9], [7, 8, 9], [7, 8, 9]])
            #expect(!reader.isInFrame)
        }
    }

    @Test("A frame over the limit is skipped, and the next one is read")
    func tooLongIsPassedOver() throws {
        let count = Frame.limit + 1
        var reader = FrameReader()
        reader.append([0, 0x40, 0, 1, 0, 0, 0, 3, 1, 0] + [UInt8](repeating: 1, count: 100))
        let header = Frame.Header(payloadByteCount: count, stream: 3, kind: .request, flags: 0)
        #expect(try reader.next() == .tooLong(header))
        #expect(try reader.next() == nil)
        #expect(reader.isInFrame)
        reader.append([UInt8](repeating: 1, count: count - 100) + bytes)
        guard case .frame(let frame) = try reader.next() else {
            Issue.record("no frame after it")
            return
        }
        #expect(frame.payload == [7, 8, 9] && !reader.isInFrame)
    }

    @Test("A frame exactly at the limit is read")
    func theLimitItselfIsNotTooLong() throws {
        var reader = FrameReader()
        reader.append(Frame(stream: 1, .request, [UInt8](repeating: 1, count: Frame.limit)).encoded)
        guard case .frame(let frame) = try reader.next() else {
            Issue.record("no frame")
            return
        }
        #expect(frame.payload.count == Frame.limit)
    }

    @Test("A header whose reserved byte is set is malformed")
    func reservedByte() {
        var reader = FrameReader()
        reader.append([1] + [UInt8](repeating: 0, count: 9))
        #expect(throws: FrameReader.Malformed.self) { try reader.next() }
    }

    @Test("A reader with part of a header is inside a frame")
    func aHeaderAloneIsInAFrame() throws {
        var reader = FrameReader()
        #expect(!reader.isInFrame)
        reader.append([0])
        #expect(try reader.next() == nil)
        #expect(reader.isInFrame)
    }
}
