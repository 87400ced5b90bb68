// SPDX-License-Identifier: Apache-2.0
import Handshake
import Linux

/// The settings of a container's verbs, kept in its bundle for the `delete` command, whose arguments are names only.
struct StoredSettings {
    static let name = "fc-runc.settings"
    static let byteLimit = 16 << 10

    let settings: VerbSettings

    init(_ settings: VerbSettings) { self.settings = settings }

    /// One setting a line. A line that makes no sense sets nothing.
    init(parsing bytes: [UInt8]) {
        var settings = VerbSettings()
        for line in String(decoding: bytes, as: UTF8.self).split(at: "\n") {
            let words = line.split(at: " ", maxSplits: 1)
            guard words.count == 2, words[1].begins(with: "/") else { continue }
            switch words[0] {
            case "root": settings.root = String(words[1])
            case "configuration": settings.configuration = String(words[1])
            default: continue
            }
        }
        self.settings = settings
    }

    var bytes: [UInt8] {
        var text = ""
        if let root = settings.root { text += "root \(root)\n" }
        if let configuration = settings.configuration { text += "configuration \(configuration)\n" }
        return Array(text.utf8)
    }

    func write(in bundle: String) throws {
        let directory = try FileDescriptor.open(bundle, [.directory, .path])
        try BundleFile.write(bytes, to: Self.name, in: directory.borrowed)
    }

    /// What was kept in a bundle; the standard settings where nothing was.
    static func read(in bundle: String) -> VerbSettings {
        guard let directory = try? FileDescriptor.open(bundle, [.directory, .path]),
            let bytes = try? BundleFile.read(name, in: directory.borrowed, limit: byteLimit)
        else { return VerbSettings() }
        return StoredSettings(parsing: bytes).settings
    }
}
