// SPDX-License-Identifier: Apache-2.0
import Protobuf
import SandboxPlan
import Testing

@testable import AgentProtocol

/// Bytes no honest peer sends, by hand.
struct MalformedTests {
    /// A length-delimited field of protobuf.
    func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        var count: [UInt8] = []
        var rest = bytes.count
        while rest > 127 {
            count.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return [number << 3 | 2] + count + [UInt8(rest)] + bytes
    }

    func request(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [8, 1] + field(number, bytes) }

    func refusal(_ bytes: [UInt8]) -> MessageError? {
        do throws(MessageError) {
            _ = try RequestMessage(decoding: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test("A start request encoded by hand is decoded")
    func startIsUnderstood() throws {
        #expect(try RequestMessage(decoding: request(5, field(1, Array("c".utf8)))).request == .start(container: "c"))
    }

    /// A container with these bytes for its root.
    private func create(root: [UInt8]) -> [UInt8] {
        request(
            4,
            field(1, field(1, Array("c".utf8)) + field(2, field(1, Array("x\0".utf8)) + field(12, [])) + field(3, root))
        )
    }

    @Test("A root has exactly one source, and its disk a known file system")
    func aRootIsOneThing() {
        let disk = field(4, field(1, Array("root-0".utf8)) + [2 << 3, 1])
        #expect(refusal(create(root: field(1, Array("0/rootfs".utf8)) + disk)) == .notCanonical)
        let unknown = field(4, field(1, Array("root-0".utf8)) + [2 << 3, 7])
        #expect(refusal(create(root: unknown)) == .unknownValue(field: "disk_mount.file_system", value: 7))
        #expect(refusal(create(root: field(4, []))) == .unknownValue(field: "disk_mount.file_system", value: 0))
    }

    @Test("A NUL inside an id is refused")
    func embeddedNUL() {
        #expect(refusal(request(5, field(1, Array("c\0/../x".utf8)))) == .containsNUL(field: "start.container_id"))
    }

    @Test("A field given twice is refused")
    func fieldTwice() {
        #expect(refusal(request(5, field(1, [97]) + field(1, [98]))) == .notCanonical)
        #expect(refusal(request(5, field(1, [97])) + field(5, field(1, [98]))) == .notCanonical)
    }

    @Test("An unknown or empty request is refused")
    func unknownFieldIsKeptOrRefused() {
        // An unknown request, and nothing at all, are no request.
        #expect(refusal([8, 1] + [0xfa, 0x01, 0]) == .unknownKind(field: "to_agent.request"))
        #expect(refusal([]) == .unknownKind(field: "to_agent.request"))
    }

    @Test("A varint of more bytes than it needs is refused")
    func numberInTooManyBytes() {
        #expect(refusal([8, 0x81, 0] + field(5, field(1, [97]))) == .notCanonical)
    }

    @Test("Bytes that are no protobuf message are refused")
    func garbage() {
        #expect(refusal([0xff, 0xff]) == .notAMessage(kind: "ToAgent", byteCount: 2))
        #expect(refusal(request(5, [0x0a, 0x7f])) == .notAMessage(kind: "ToAgent", byteCount: 6))
    }

    @Test("A string that is not UTF-8 is refused with its field's name")
    func notUTF8() {
        #expect(refusal(request(5, field(1, [0xc3, 0x28]))) == .notUTF8(field: "start.container_id"))
    }

    @Test("A request without a required part is refused with that part's name")
    func missingParts() throws {
        #expect(refusal(request(4, [])) == .missing(field: "create.container"))
        #expect(refusal(request(6, field(1, [97]))) == .missing(field: "exec.exec_id"))
        #expect(refusal(request(6, field(1, [97]) + field(2, [98]))) == .missing(field: "exec.process"))
        #expect(refusal(request(11, field(1, [97]))) == .missing(field: "update.resources"))
    }

    @Test("An unknown enum value is refused with its field's name")
    func unknownNumbers() throws {
        var plan = Samples.container
        plan.namespaces = [NamespacePlan(kind: .mount)]
        let bytes = try message(
            in: RequestMessage(id: 1, request: .create(plan, streams: StreamTokens(), isOwned: false)).frame())
        // Namespace{kind: 1} is the only field 7 of two bytes 08 01.
        let start = try #require(bytes.indices.first { Array(bytes[$0...].prefix(4)) == [0x3a, 2, 8, 1] })
        var changed = bytes
        changed[start + 3] = 99
        #expect(refusal(changed) == .unknownValue(field: "namespace.kind", value: 99))
    }

    @Test("Window sizes, exit codes and signals out of range are refused")
    func numbersOutOfRange() {
        // Resize{rows: 65536, columns: 1}.
        #expect(
            refusal(request(9, [0x18, 0x80, 0x80, 0x04, 0x20, 1]))
                == .outOfRange(field: "resize.rows", value: 65536))
        // Exited{code: 256}.
        #expect(throws: MessageError.outOfRange(field: "exited.code", value: 256)) {
            try AnswerMessage(decoding: [8, 1] + field(6, [8, 0x80, 2]))
        }
        #expect(throws: MessageError.outOfRange(field: "exited.signal", value: 65)) {
            try AnswerMessage(decoding: [8, 1] + field(6, [0x10, 65]))
        }
    }

    @Test("A list longer than its limit is refused")
    func listsAreBounded() {
        var mounts: [UInt8] = []
        for _ in 0...ListLimit.mounts { mounts += field(6, field(8, [])) }
        let process = field(1, [97, 0]) + field(12, [])
        let container = field(2, process) + field(3, []) + mounts + field(12, [])
        #expect(
            refusal(request(4, field(1, container)))
                == .tooMany(field: "container.mounts", count: ListLimit.mounts + 1, limit: ListLimit.mounts))
    }

    /// Two bytes of a frame name a structure of a hundred: the memory is bounded, not only the frame.
    @Test("A frame that would decode to far more memory is refused")
    func memoryIsBounded() {
        var mounts: [UInt8] = []
        for _ in 0..<1_000_000 { mounts += [0x32, 0] }
        let bytes = request(4, field(1, mounts))
        #expect(refusal(bytes) == .notAMessage(kind: "ToAgent", byteCount: bytes.count))
    }

    @Test("A stream hello with a wrong token or version is refused")
    func tokensOfTheWrongLength() {
        #expect(throws: MessageError.wrongByteCount(field: "stream_hello.token", byteCount: 15)) {
            try StreamHandshake.token(decoding: [8, 1] + field(2, Array(repeating: 1, count: 15)))
        }
        #expect(throws: MessageError.missing(field: "stream_hello.token")) {
            try StreamHandshake.token(decoding: [8, 1])
        }
        #expect(throws: MessageError.unknownValue(field: "stream_hello.version", value: 2)) {
            try StreamHandshake.token(decoding: [8, 2] + field(2, Array(repeating: 1, count: 16)))
        }
    }

    @Test("A resolver without a token, or with one of another length, is refused")
    func aResolverHasAToken() {
        func resolver(_ bytes: [UInt8]) -> [UInt8] { [8, 1, 0xa2, 1, UInt8(bytes.count)] + bytes }
        #expect(refusal(resolver([8, 7])) == .missing(field: "resolver.token"))
        #expect(
            refusal(resolver([8, 7] + field(2, [UInt8](repeating: 1, count: 17))))
                == .wrongByteCount(field: "resolver.token", byteCount: 17))
        #expect(refusal(resolver([8, 7] + field(2, [UInt8](repeating: 1, count: 16)))) == nil)
    }

    /// All that execve(2) takes goes through one request, in little more memory than its bytes.
    @Test("Hundreds of thousands of arguments pass, and a NUL inside one is refused")
    func argumentsAreNotCounted() throws {
        var plan = Samples.container
        plan.process.arguments = [String](repeating: "x", count: 600_000) + ["", "a=\u{e9}"]
        let whole = RequestMessage(id: 1, request: .create(plan, streams: StreamTokens(), isOwned: false))
        #expect(try RequestMessage(decoding: message(in: whole.frame())) == whole)
        plan.process.arguments = ["a\0b"]
        let torn = RequestMessage(id: 1, request: .create(plan, streams: StreamTokens(), isOwned: false))
        #expect(throws: MessageError.containsNUL(field: "process.arguments")) { try torn.frame() }
        // Process.arguments without the NUL that ends the last.
        let process = field(1, [97]) + field(12, [])
        #expect(refusal(request(4, field(1, field(2, process) + field(3, []) + field(12, [])))) == .notCanonical)
    }

    @Test("Frames longer than the limit are refused, both read and written")
    func longFrames() throws {
        var reader = FrameReader(limit: Frame.limit)
        reader.append([0, 0, 0x40, 0])
        #expect(try reader.next() == nil)
        var longer = FrameReader(limit: Frame.limit)
        longer.append([1, 0, 0x40, 0])
        #expect(throws: MessageError.tooLong(byteCount: Frame.limit + 1, limit: Frame.limit)) { try longer.next() }
        var small = FrameReader(limit: 64)
        small.append([65, 0, 0, 0])
        #expect(throws: MessageError.tooLong(byteCount: 65, limit: 64)) { try small.next() }
        #expect(throws: MessageError.tooLong(byteCount: Frame.limit + 1, limit: Frame.limit)) {
            try Frame.wrap(Array(repeating: 0, count: Frame.limit + 1))
        }
    }

    @Test("Frames arrive whole from pieces of any size")
    func framesInPieces() throws {
        var stream: [UInt8] = []
        for length in [0, 1, 300, 70_000, 0] {
            stream += try Frame.wrap(Array(repeating: UInt8(length & 255), count: length))
        }
        for pieceCount in [1, 3, 4096] {
            var reader = FrameReader()
            var lengths: [Int] = []
            for start in stride(from: 0, to: stream.count, by: pieceCount) {
                reader.append(stream[start..<min(stream.count, start + pieceCount)])
                while let message = try reader.next() { lengths.append(message.count) }
            }
            #expect(lengths == [0, 1, 300, 70_000, 0])
            #expect(reader.pendingByteCount == 0)
        }
    }
}
