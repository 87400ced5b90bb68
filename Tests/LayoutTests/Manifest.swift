import Foundation

/// What Package.swift says of the rooms, read as text: the test must fail on what is written there, not on what
/// SwiftPM makes of it.
struct Manifest {
    /// The modules that each target of ours names as dependencies, products of packages included.
    let imports: [String: Set<String>]

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    init() throws {
        let text = try String(contentsOf: Self.root.appendingPathComponent("Package.swift"), encoding: .utf8)
        var imports: [String: Set<String>] = [:]
        // room("Name", "path", [ … ]), program(…) and .target(name: "Name", …): each from its name to the next.
        let starts = text.ranges(of: #/(?m)^\s*(room|program|\.target|\.systemLibrary)\(/#)
        for (index, start) in starts.enumerated() {
            let end = index + 1 < starts.count ? starts[index + 1].lowerBound : text.endIndex
            var strings = text[start.upperBound..<end].matches(of: #/"([^"]*)"/#).map { String($0.1) }
            guard !strings.isEmpty else { continue }
            let name = strings.removeFirst()
            imports[name] = Set(strings.filter { $0 != name })
        }
        self.imports = imports
    }

    /// The modules that the Swift files of `folder` (below Sources) import.
    static func imported(in folder: String) throws -> Set<String> {
        var modules: Set<String> = []
        let directory = root.appendingPathComponent("Sources/\(folder)")
        let files = try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
        for file in files where file.pathExtension == "swift" {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(
                of:
                    #/(?m)^(?:@[a-zA-Z_()]+ )?(?:public |internal |private )?import (?:(?:struct|class|enum|func) )?([A-Za-z_]+)/#
            ) {
                modules.insert(String(match.1))
            }
        }
        return modules
    }
}
