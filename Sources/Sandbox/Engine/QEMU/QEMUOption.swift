// SPDX-License-Identifier: Apache-2.0
import Linux

/// One option of QEMU's that is a list of keys and values: `-device vhost-user-fs-pci,chardev=fs,tag=x`.
struct QEMUOption {
    let name: String
    /// What the list starts with; nil where it starts with a key.
    let kind: String?
    var values: [(key: String, value: String)]

    init(_ name: String, _ kind: String?, _ values: KeyValuePairs<String, String> = [:]) {
        self.name = name
        self.kind = kind
        self.values = values.map { ($0.key, $0.value) }
    }

    /// The two words. In a value a comma would start the next key, and stands doubled: QEMU's manual page,
    /// "Device properties and key/value options".
    var words: [String] {
        let list = (kind.map { [Self.escaped($0)] } ?? []) + values.map { "\($0.key)=\(Self.escaped($0.value))" }
        return ["-\(name)", list.joined(separator: ",")]
    }

    static func escaped(_ value: String) -> String {
        value.split(at: ",", omittingEmptySubsequences: false).joined(separator: ",,")
    }
}
