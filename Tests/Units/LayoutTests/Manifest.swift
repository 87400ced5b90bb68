// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What Package.swift says of the targets, read as text and in its order: the tests must fail on what is written there,
/// not on what SwiftPM makes of it.
struct Manifest {
    struct Target: Sendable, CustomTestStringConvertible {
        /// The word that makes it: `room`, `program`, `tests`, or SwiftPM's own.
        let kind: String
        let name: String
        /// Its folder, below the root.
        let path: String
        /// Targets, and products of packages, by the names under which Swift imports them.
        let dependencies: Set<String>
        var module: String { Manifest.module(name) }
        var testDescription: String { name }
    }

    let targets: [Target]

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    init() throws {
        let text = try Self.text("Package.swift").replacing(#/(?m)//.*$/#, with: "")
        let starts = text.matches(of: #/(?m)^ +(room|program|tests|\.target|\.systemLibrary|\.executableTarget)\(/#)
        targets = try starts.indices.dropFirst(Self.functions).map { index in
            let end = index + 1 < starts.count ? starts[index + 1].range.lowerBound : text.endIndex
            return try Self.target(kind: String(starts[index].1), text[starts[index].range.upperBound..<end])
        }
    }

    /// room(), program() and tests() make a target of SwiftPM's each.
    private static let functions = 3

    private static func target(kind: String, _ text: Substring) throws -> Target {
        let strings = text.matches(of: #/"([^"]*)"/#).map { String($0.1) }
        let name = try #require(strings.first)
        let path: String?
        switch kind {
        case "room", "program": path = "Sources/\(strings[1])"
        case "tests": path = "Tests/Units/\(name)Tests"
        default: path = text.firstMatch(of: #/path: "([^"]*)"/#).map { String($0.1) }
        }
        let list =
            kind.hasPrefix(".")
            ? text.firstMatch(of: #/dependencies: \[([^\]]*)\]/#)?.1 : text.firstMatch(of: #/\[([^\]]*)\]/#)?.1
        let dependencies = list.map { $0.replacing(#/package: "[^"]*"/#, with: "").matches(of: #/"([^"]*)"/#) } ?? []
        return Target(
            kind: kind, name: kind == "tests" ? name + "Tests" : name, path: try #require(path, "\(name) has no path"),
            dependencies: Set(dependencies.map { module(String($0.1)) }))
    }

    /// The name under which a target is imported.
    static func module(_ name: String) -> String { name.replacing("-", with: "_") }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }

    /// The Swift files below a folder, at any depth, as paths below the root.
    static func swiftFiles(below folder: String) throws -> [String] {
        let files = try #require(FileManager.default.enumerator(atPath: root.appendingPathComponent(folder).path))
        return files.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.map { "\(folder)/\($0)" }
    }

    /// The modules that a file imports, wherever in it, also inside `#if`.
    static func imports(of file: String) throws -> Set<String> {
        let line =
            #/(?m)^[ \t]*(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+\s+)?import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias|actor)\s+)?(\w+)/#
        return Set(try text(file).matches(of: line).map { String($0.1) })
    }
}
