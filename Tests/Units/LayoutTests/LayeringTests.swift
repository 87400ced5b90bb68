// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// The floors of the house. Package.swift lists its targets from the lowest to the highest, so that the order is written
/// once: a new room goes above what imports it and below what it imports. docs/architecture.md says what each is for.
@Suite struct LayeringTests {
    static let targets = (try? Manifest().targets) ?? []

    /// Modules of the toolchain.
    static let toolchain: Set<String> = ["Glibc", "Swift", "Synchronization"]
    /// Rooms that may use Foundation's essentials; none of ours may use all of Foundation. The tests may.
    static let essentials: Set<String> = ["RuntimeState", "Sandbox", "fc-runc"]

    @Test("Package.swift is understood by these tests")
    func manifestIsRead() throws {
        #expect(try Manifest().targets.count > 80)
        #expect(Set(Self.targets.map(\.name)).count == Self.targets.count)
    }

    @Test("What a target imports, Package.swift declares, and nothing else", arguments: targets)
    func importsAreDeclared(target: Manifest.Target) throws {
        let files = try Manifest.swiftFiles(below: target.path)
        var allowed = target.dependencies.union(Self.toolchain)
        if !target.path.hasPrefix("Sources/") { allowed.formUnion(["Testing", "Foundation"]) }
        if Self.essentials.contains(target.name) { allowed.insert("FoundationEssentials") }
        var imported: Set<String> = []
        for file in files {
            let modules = try Manifest.imports(of: file)
            imported.formUnion(modules)
            let wrong = modules.subtracting(allowed)
            #expect(wrong.isEmpty, "\(file) imports \(wrong.sorted()), which Package.swift does not declare")
        }
        // Tests declare the programs that they start, too. What has no Swift imports by #include.
        let programs = Self.targets.filter { $0.kind == "program" || $0.kind == ".executableTarget" }.map(\.module)
        let unused = target.dependencies.subtracting(imported).subtracting(programs)
        #expect(files.isEmpty || unused.isEmpty, "Package.swift declares \(unused.sorted()), which nothing imports")
    }

    @Test("Imports go down only: what a target depends on stands above it in Package.swift")
    func importsGoDown() {
        let names = Set(Self.targets.map(\.module))
        var above: Set<String> = []
        for target in Self.targets {
            let wrong = target.dependencies.intersection(names).subtracting(above)
            #expect(wrong.isEmpty, "\(target.name) depends on \(wrong.sorted()), declared below it in Package.swift")
            above.insert(target.module)
        }
    }

    @Test("Every Swift file belongs to a target", arguments: ["Sources", "Tests"])
    func filesBelongToTargets(folder: String) throws {
        for file in try Manifest.swiftFiles(below: folder) where !file.hasPrefix("Tests/Fuzz/") {
            #expect(Self.targets.contains { file.hasPrefix($0.path + "/") }, "\(file) is of no target in Package.swift")
        }
    }

    @Test("A program's main.swift is one line", arguments: targets.filter { $0.kind == "program" })
    func mainsAreOneLine(program: Manifest.Target) throws {
        let lines = try Manifest.text("\(program.path)/main.swift").split(separator: "\n")
            .filter { !$0.hasPrefix("import ") && !$0.hasPrefix("//") }
        #expect(lines.count <= 1, "\(program.path)/main.swift has \(lines.count) lines")
    }
}
