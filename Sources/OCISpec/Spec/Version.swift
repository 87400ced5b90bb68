// SPDX-License-Identifier: Apache-2.0
/// `1.0.2-dev`, `1.3.0`: semver 2.0.0, of which the order of pre-releases does not matter here.
enum Version {
    static func check(_ text: String) throws(SpecError) {
        if text.isEmpty { throw SpecError("ociVersion", .empty) }
        guard let (major, minor, isPreRelease) = read(text) else {
            throw SpecError("ociVersion", .malformed(kind: "semantic version", value: text))
        }
        let beforeOne = minor == 0 && isPreRelease && text.utf8.starts(with: "1.0.0-".utf8)
        guard major == 1, minor <= 3, !beforeOne else {
            throw SpecError(
                "ociVersion", .unsupportedVersion(text, lowest: Spec.oldestVersion, highest: "1.3.x"))
        }
    }

    private static func read(_ text: String) -> (major: Int, minor: Int, isPreRelease: Bool)? {
        let noBuild = text.utf8.split(separator: UInt8(ascii: "+"), maxSplits: 1, omittingEmptySubsequences: false)[0]
        let parts = noBuild.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        let fields = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let numbers = fields.map { field in
            field.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? Int(String(decoding: field, as: UTF8.self)) : nil
        }
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], numbers[2] != nil,
            parts.count == 1 || !parts[1].isEmpty
        else { return nil }
        return (major, minor, parts.count == 2)
    }
}
