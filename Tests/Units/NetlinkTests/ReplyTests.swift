// SPDX-License-Identifier: Apache-2.0
import Linux
import SandboxPlan
import TestSupport
import Testing

@testable import Netlink

/// What the kernel might answer, made by hand.
@Suite struct ReplyTests {
    private static func message(
        _ type: UInt16, flags: UInt16 = 2, sequence: UInt32 = 7, _ fill: (inout MessageBody) -> Void = { _ in }
    ) -> [UInt8] {
        var body = MessageBody()
        fill(&body)
        var message = MessageBody()
        message.add(UInt32(16 + body.bytes.count))
        message.add(type)
        message.add(flags)
        message.add(sequence)
        message.add(UInt32(0))
        return message.bytes + body.bytes
    }

    private static func address(_ last: UInt8, sequence: UInt32 = 7, flags: UInt16 = 2) -> [UInt8] {
        message(MessageType.newAddress, flags: flags, sequence: sequence) {
            for byte: UInt8 in [2, 24, 0, 0, 3, 0, 0, 0] { $0.add(byte) }
            $0.attribute(2, [10, 0, 0, last])
            $0.attribute(1, [10, 0, 0, last])
        }
    }

    private static let done = message(MessageType.done) { $0.add(Int32(0)) }

    private static func reply(limit: Int = 10) -> Reply<Indexed<InterfaceAddress>> {
        Reply(
            to: Request(MessageType.getAddress, .dump, "list", "all"), sequence: 7, type: MessageType.newAddress,
            limit: limit, RouteSocket.address)
    }

    private static func last(_ reply: Reply<Indexed<InterfaceAddress>>) -> [UInt8?] {
        reply.values.map { $0.value.local.address.bytes.last }
    }

    @Test("An answer ends where it says so, however it is cut into datagrams, and others' are not taken for it")
    func answersEnd() throws {
        var reply = Self.reply()
        #expect(try !reply.take((Self.address(1) + Self.address(9, sequence: 6) + Self.address(2))[...]))
        #expect(try !reply.take((Self.message(MessageType.done, sequence: 6) + Self.address(3))[...]))
        #expect(try reply.take(Self.done[...]))
        #expect(Self.last(reply) == [1, 2, 3] && !reply.wasInterrupted)
        var cut = Self.reply()
        #expect(try cut.take((Self.address(1, flags: 0x12) + Self.done)[...]))
        #expect(cut.wasInterrupted)
    }

    @Test("A message that does not lie within its datagram is malformed, wherever it is cut")
    func cutMessagesAreRefused() throws {
        let whole = Self.address(1)
        for count in 16..<whole.count {
            #expect(throws: NetlinkError.malformed(operation: "list")) {
                var reply = Self.reply()
                _ = try reply.take(whole.prefix(count))
            }
        }
        for length: UInt8 in [0, 15, 255] {
            #expect(throws: NetlinkError.malformed(operation: "list")) {
                var reply = Self.reply()
                _ = try reply.take([length] + whole.dropFirst())
            }
        }
    }

    @Test("What is malformed or too much within an answer is told at its end, so that the socket can be used again")
    func theEndIsReached() throws {
        var many = Self.reply(limit: 2)
        for last: UInt8 in 1...5 { #expect(try !many.take(Self.address(last)[...])) }
        #expect(throws: NetlinkError.tooMany(operation: "list", limit: 2)) { _ = try many.take(Self.done[...]) }
        var wrong = Self.reply()
        // An attribute that is longer than what there is.
        #expect(
            try !wrong.take(
                Self.message(MessageType.newAddress) {
                    for byte: UInt8 in [2, 24, 0, 0, 3, 0, 0, 0, 9, 0, 2, 0, 10, 0, 0, 1] { $0.add(byte) }
                }[...]))
        #expect(throws: NetlinkError.malformed(operation: "list the addresses")) {
            _ = try wrong.take(Self.done[...])
        }
    }

    @Test("A refusal has the kernel's number and words, without what could end a line")
    func refusalsHaveWords() throws {
        func refusal(_ result: Int32, _ reason: String?) -> [UInt8] {
            Self.message(MessageType.error, flags: reason == nil ? 0x100 : 0x300) {
                $0.add(result)
                for byte in [UInt8](repeating: 0, count: 16) { $0.add(byte) }
                if let reason { $0.attribute(1, reason) }
            }
        }
        for (reason, text) in [(nil, ""), ("no\nsuch\u{1b}é", "no?such???")] as [(String?, String)] {
            #expect(throws: NetlinkError.refused(operation: "list", operand: "all", .noSuchFile, reason: text)) {
                var reply = Self.reply()
                _ = try reply.take(refusal(-2, reason)[...])
            }
        }
        var reply = Self.reply()
        #expect(try reply.take(refusal(0, nil)[...]))
        #expect(throws: NetlinkError.self) {
            var reply = Self.reply()
            _ = try reply.take(refusal(.min, nil)[...])
        }
    }

    @Test("Addresses and networks of the wrong size are malformed")
    func wrongSizes() throws {
        for (family, length, count) in [(2, 33, 4), (2, 24, 16), (10, 64, 4), (10, 129, 16), (2, 24, 5)]
            as [(UInt8, UInt8, Int)]
        {
            let message = Self.message(MessageType.newAddress, sequence: 1) {
                for byte: UInt8 in [family, length, 0, 0, 3, 0, 0, 0] { $0.add(byte) }
                $0.attribute(1, [UInt8](repeating: 1, count: count))
            }
            #expect(throws: NetlinkError.self) {
                _ = try NetlinkAnswer.addresses(in: message + Self.message(MessageType.done, sequence: 1), to: 1)
            }
        }
    }

    @Test("A kernel that does not answer is not waited for longer than allowed")
    func answersAreWaitedFor() throws {
        let pair = try UnixSocket.pair(type: .datagram)
        let socket = RouteSocket(try pair.second.duplicate(), timeout: .milliseconds(50))
        #expect(throws: NetlinkError.timedOut(operation: "list the network interfaces", operand: "")) {
            _ = try socket.links()
        }
        // What comes from another process is no answer.
        let message = [UInt8](repeating: 0, count: 64)
        _ = try pair.first.write(message, 0..<64)
        #expect(throws: NetlinkError.timedOut(operation: "set down", operand: "network interface 1")) {
            try socket.setUp(false, of: 1)
        }
    }
}
