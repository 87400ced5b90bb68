// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Configuration

@Suite("Configuration: state directories")
struct StateDirectoryTests {
    let base = FileManager.default.temporaryDirectory.appendingPathComponent("states-\(UUID())").path

    private func make(_ paths: String...) throws {
        for path in paths {
            try FileManager.default.createDirectory(atPath: "\(base)/\(path)", withIntermediateDirectories: true)
        }
    }

    private func holding(_ id: String) throws -> String {
        try StateDirectory.holding(id, own: "\(base)/own", namespacesBelow: "\(base)/containerd")
    }

    @Test("The runtime's own state directory comes before containerd's")
    func theCommandLinesOwnComesFirst() throws {
        defer { try? FileManager.default.removeItem(atPath: base) }
        try make("own/a", "containerd/default/a", "containerd/other/b")
        #expect(try holding("a") == "\(base)/own")
        #expect(try holding("b") == "\(base)/containerd/other")
        #expect(try holding("none") == "\(base)/own")
        #expect(StateDirectory.namespaces(below: "\(base)/containerd").count == 2)
    }

    @Test("A container id found in several namespaces is ambiguous")
    func severalNamespacesMayHaveTheName() throws {
        defer { try? FileManager.default.removeItem(atPath: base) }
        try make("containerd/one/a", "containerd/two/a")
        #expect(
            throws: ConfigurationError.ambiguousContainer(
                id: "a", directories: ["\(base)/containerd/one", "\(base)/containerd/two"])
        ) { try holding("a") }
    }

    @Test("An id that is no file name leads to no other directory", arguments: ["", ".", "..", "../two", "two/a"])
    func noNameLeadsElsewhere(id: String) throws {
        defer { try? FileManager.default.removeItem(atPath: base) }
        try make("containerd/one/x", "containerd/two/a")
        #expect(try holding(id) == "\(base)/own")
    }
}
