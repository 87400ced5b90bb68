// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// SPECIFICATION.md names the test of each promise. A name that leads nowhere is found here.
@Suite struct SpecificationTests {
    /// The tests of one kind that the table names: `bundle: exit-zero, mount-\*; unit: RoomTests/File "a sentence"`.
    private struct Mention: CustomTestStringConvertible {
        let kind: String
        let names: [String]
        var testDescription: String { "\(kind): \(names.joined(separator: ", "))" }
    }

    private static func mentions() throws -> [Mention] {
        var mentions: [Mention] = []
        for line in try Manifest.text("SPECIFICATION.md").split(separator: "\n") where line.hasPrefix("| ") {
            for part in line.replacing(#/\([^()]*\)/#, with: "").matches(of: #/\b([a-z]+): ([^|;]*)/#) {
                let names = part.2.matches(of: #/(?:[^,"]|"[^"]*")+/#).map { $0.0.trimmingCharacters(in: .whitespaces) }
                mentions.append(Mention(kind: String(part.1), names: names))
            }
        }
        return mentions
    }

    private static func names(_ kind: String) throws -> [String] {
        try mentions().filter { $0.kind == kind }.flatMap(\.names)
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: Manifest.root.appendingPathComponent(path).path)
    }

    @Test("Every unit test that SPECIFICATION.md names is there")
    func unitTests() throws {
        let names = try Self.names("unit")
        #expect(names.count > 50)
        let files = try Manifest.swiftFiles(below: "Tests/Units")
        for name in names {
            let parts = try #require(
                name.wholeMatch(of: #/([\w-]+Tests)(?:\/(\w+))?(?: "([^"]+)")?.*/#), "unit: \(name)")
            guard let file = parts.2 else {
                #expect(Self.exists("Tests/Units/\(parts.1)"), "unit: \(name)")
                continue
            }
            let path = files.first { $0.hasPrefix("Tests/Units/\(parts.1)/") && $0.hasSuffix("/\(file).swift") }
            let text = try Manifest.text(#require(path, "unit: \(name)"))
            if let sentence = parts.3 {
                #expect(text.contains("\"\(sentence)\""), "\(path ?? "") has no test \(sentence)")
            }
        }
    }

    @Test("Every test bundle that SPECIFICATION.md names is there")
    func bundles() throws {
        let folders = try FileManager.default.contentsOfDirectory(
            atPath: Manifest.root.appendingPathComponent("test-bundles").path)
        for name in try Self.names("bundle") where !name.contains(" ") {
            let prefix = name.replacing("\\*", with: "")
            let found = folders.contains { name.hasSuffix("\\*") ? $0.hasPrefix(prefix) : $0 == name }
            #expect(found, "bundle: \(name)")
        }
    }

    @Test(
        "Every suite and benchmark that SPECIFICATION.md names is there",
        arguments: ["integration": "Integration", "shares": "Shares", "bench": "Benchmarks"])
    func suites(kind: String, folder: String) throws {
        let names = try Self.names(kind)
        #expect(!names.isEmpty)
        for name in names { #expect(Self.exists("Tests/\(folder)/\(name)"), "\(kind): \(name)") }
    }

    @Test("--version, VERSION and the newest heading of CHANGELOG.md are one")
    func version() throws {
        let version = try Manifest.text("VERSION").trimmingCharacters(in: .newlines)
        let source = try Manifest.text("Sources/Sandbox/Configuration/Version.swift")
        #expect(source.contains("number = \"\(version)\""), "scripts/release writes it")
        let heading = try Manifest.text("CHANGELOG.md").firstMatch(of: #/(?m)^## (\d\S*)/#)
        #expect(heading.map { String($0.1) } == version)
    }
}
