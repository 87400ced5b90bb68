// SPDX-License-Identifier: Apache-2.0
import Protobuf
import TaskProtocol
import Testing

/// Bytes no honest peer sends.
struct MalformedTests {
    func refusal<Message: TaskMessage>(_ type: Message.Type, _ bytes: [UInt8]) -> MessageError? {
        do throws(MessageError) {
            _ = try Message(decoding: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test("No bytes decode as an empty message, which encodes to none")
    func nothingIsAMessage() throws {
        #expect(try IDRequest(decoding: []) == IDRequest())
        #expect(IDRequest().encoded().isEmpty)
    }

    @Test("Unknown fields are ignored")
    func unknownFieldsAreLeftOut() throws {
        let known = WireBytes.text(1, "c")
        let unknown = WireBytes.number(900, 1) + WireBytes.text(11, "/oom") + [0x7d, 1, 2, 3, 4]
        #expect(try CreateTaskRequest(decoding: unknown + known) == .with { $0.id = "c" })
    }

    @Test("The last occurrence of a field holds")
    func theLastOfAFieldHolds() throws {
        #expect(try IDRequest(decoding: WireBytes.text(1, "a") + WireBytes.text(1, "b")).id == "b")
    }

    @Test("Text with a NUL is refused by its field")
    func textWithANUL() {
        #expect(
            refusal(IDRequest.self, WireBytes.text(1, "c\0/../x")) == .containsNUL(field: "idrequest.id"))
        let mount = WireBytes.bytes(3, WireBytes.text(4, "ro\0"))
        #expect(refusal(CreateTaskRequest.self, mount) == .containsNUL(field: "mount.options"))
    }

    @Test("Text that is not UTF-8 is refused by its field")
    func textThatIsNone() {
        #expect(refusal(IDRequest.self, WireBytes.bytes(1, [0xc3, 0x28])) == .notUTF8(field: "idrequest.id"))
        let pair = WireBytes.bytes(3, WireBytes.bytes(1, [0xff]))
        #expect(refusal(UpdateTaskRequest.self, pair) == .notUTF8(field: "pair.key"))
    }

    @Test("A bytes field may hold any bytes")
    func bytesMayBeAnything() throws {
        let any = try AnyMessage(decoding: WireBytes.bytes(2, [0, 0xff, 0xc3]))
        #expect(any.value == [0, 0xff, 0xc3])
    }

    @Test("A message that is cut short is refused")
    func cutShort() {
        let whole = WireBytes.text(1, "container") + WireBytes.bytes(10, WireBytes.text(1, "type"))
        for count in 1..<whole.count where count != 11 {
            #expect(
                refusal(CreateTaskRequest.self, Array(whole.prefix(count)))
                    == .notAMessage(kind: "CreateTaskRequest", byteCount: count))
        }
    }

    @Test("A field of the wrong wire type or with an endless length is refused")
    func wrongWireType() {
        #expect(refusal(IDRequest.self, WireBytes.number(1, 5)) != nil)
        #expect(refusal(KillRequest.self, WireBytes.text(3, "x")) != nil)
        #expect(refusal(IDRequest.self, [0x0b]) != nil)
        #expect(refusal(IDRequest.self, [0x0a] + [UInt8](repeating: 0xff, count: 11)) != nil)
    }

    @Test("A message over the size limit is refused")
    func tooLong() {
        let bytes = [UInt8](repeating: 0, count: TaskMessageLimit.byteCount + 1)
        #expect(refusal(IDRequest.self, bytes) == .tooLong(byteCount: bytes.count, limit: TaskMessageLimit.byteCount))
    }

    @Test("A repeated field with too many entries is refused")
    func tooManyEntries() {
        let options = [[UInt8]](repeating: [0x22, 0], count: TaskMessageLimit.entries + 1).flatMap { $0 }
        #expect(
            refusal(RootfsMount.self, options)
                == .tooMany(
                    field: "mount.options", count: TaskMessageLimit.entries + 1, limit: TaskMessageLimit.entries))
    }

    /// Two bytes of the message each want a structure: more memory than a message may take.
    @Test("A message that would take more memory than its limit is refused")
    func moreStructureThanBytes() {
        let mounts = [[UInt8]](repeating: [0x1a, 0], count: TaskMessageLimit.byteCount / 2).flatMap { $0 }
        #expect(
            refusal(CreateTaskRequest.self, mounts)
                == .notAMessage(kind: "CreateTaskRequest", byteCount: mounts.count))
    }

    @Test("A map with a repeated key is refused")
    func aKeyTwice() {
        let pair = WireBytes.bytes(3, WireBytes.text(1, "k"))
        #expect(refusal(UpdateTaskRequest.self, pair + pair) == .repeatedKey(field: "update_task_request.annotations"))
    }

    @Test("A type name matches with or without the googleapis prefix, and with no other")
    func typeNames() {
        #expect(AnyMessage(type: TypeName.runcOptions, value: []).isA(TypeName.runcOptions))
        #expect(
            AnyMessage(type: "type.googleapis.com/runtimeoptions.v1.Options", value: []).isA(TypeName.criRuntimeOptions)
        )
        #expect(!AnyMessage(type: "x/runtimeoptions.v1.Options", value: []).isA(TypeName.criRuntimeOptions))
    }

    @Test("An error names the field, the count and the limit")
    func whatIsRefusedIsSaid() {
        let error = MessageError.tooMany(field: "mount.options", count: 5, limit: 4)
        #expect("\(error)" == "mount.options: 5 entries are more than 4")
    }
}
