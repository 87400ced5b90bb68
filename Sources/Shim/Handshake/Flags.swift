// SPDX-License-Identifier: Apache-2.0
import Linux

/// Command line flags as Go's package flag takes them: `-name value`, `-name=value`, one dash or two, a flag without a
/// value being true, until the first word that is none, or after `--`.
struct Flags {
    private(set) var values: [String: String] = [:]
    /// What follows the flags.
    private(set) var words: [String] = []

    static let countLimit = 64
    static let byteLimit = 4096

    static let named: Set<String> = [
        "namespace", "id", "socket", "debug-socket", "bundle", "address", "publish-binary",
    ]
    static let switches: Set<String> = ["debug", "v", "version", "info"]

    /// - Parameter arguments: without the program's name.
    init(_ arguments: some Collection<String>) throws(HandshakeError) {
        guard arguments.count <= Self.countLimit else {
            throw .tooManyArguments(arguments.count, limit: Self.countLimit)
        }
        for argument in arguments where argument.utf8.count > Self.byteLimit {
            throw .argumentTooLong(byteCount: argument.utf8.count, limit: Self.byteLimit)
        }
        var left = Array(arguments)[...]
        while let argument = left.first, argument.begins(with: "-"), argument != "-" {
            left.removeFirst()
            if argument == "--" { break }
            let body = argument.after("--") ?? argument.after("-") ?? ""
            guard !body.isEmpty, !body.begins(with: "-"), !body.begins(with: "=") else { throw .flagSyntax(argument) }
            let parts = body.split(at: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            let value = parts.count > 1 ? String(parts[1]) : nil
            if Self.switches.contains(name) {
                values[name] = try Self.truth(value ?? "true", of: name) ? "true" : nil
            } else if Self.named.contains(name) {
                guard let text = value ?? left.popFirst() else { throw .flagNeedsValue(name) }
                values[name] = text
            } else {
                throw .unknownFlag(name)
            }
        }
        words = Array(left)
    }

    func isOn(_ name: String) -> Bool { values[name] != nil }

    /// As strconv.ParseBool.
    private static func truth(_ text: String, of flag: String) throws(HandshakeError) -> Bool {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: throw .flagValue(flag: flag, value: text)
        }
    }
}
