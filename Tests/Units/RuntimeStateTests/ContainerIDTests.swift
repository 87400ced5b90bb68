// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import RuntimeState

@Suite("RuntimeState: container ids") struct ContainerIDTests {
    @Test(
        "Ids that runc allows are accepted unchanged",
        arguments: ["a", "A-b_c+d.e", "0", ".hidden", "...", "-x", String(repeating: "i", count: 255)])
    func takes(_ text: String) throws {
        #expect(try ContainerID(text).rawValue == text)
    }

    @Test(
        "Dot names and ids with other characters than runc allows are refused",
        arguments: [
            ".", "..", "../x", "a/b", "/a", "a b", "a\0b", "\0", "a\n", "ä", "a:b", "a*", "a\\b", "\u{202E}x", " ",
        ])
    func refuses(_ text: String) {
        #expect(throws: RuntimeStateError.invalidID) { try ContainerID(text) }
    }

    @Test("Empty ids and ids of more than 255 bytes are refused")
    func refusesTheEmptyAndTheLong() {
        #expect(throws: RuntimeStateError.emptyID) { try ContainerID("") }
        #expect(throws: RuntimeStateError.idTooLong(byteCount: 256)) {
            try ContainerID(String(repeating: "i", count: 256))
        }
    }

    @Test("Errors about containers and their ids read as runc words them")
    func saysItAsRuncDoes() {
        #expect(RuntimeStateError.invalidID.description == "invalid container ID format")
        #expect(RuntimeStateError.emptyID.description == "container id cannot be empty")
        #expect(RuntimeStateError.exists.description == "container with given ID already exists")
        #expect(RuntimeStateError.doesNotExist.description == "container does not exist")
    }
}
