// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import OCISpec

/// The least document that `validate` lets pass.
func minimal(_ more: String = "", process: String = "", linux: String = "") -> String {
    """
    {"ociVersion": "1.0.2", "root": {"path": "rootfs"},
     "process": {"cwd": "/", "args": ["sh"]\(process.isEmpty ? "" : ", " + process)},
     "linux": {"namespaces": [{"type": "uts"}, {"type": "mount"}, {"type": "ipc"}, {"type": "network"}]\(
        linux.isEmpty ? "" : ", " + linux)}\(more.isEmpty ? "" : ", " + more)}
    """
}

@Suite("OCISpec: parsing") struct Parsing {
    @Test("The smallest valid document is parsed and wholly supported")
    func minimalDocument() throws {
        let spec = try Spec.parse(bytes(minimal()))
        try spec.validate()
        #expect(spec.process?.args == ["sh"])
        #expect(spec.root == Spec.Root(path: "rootfs"))
        #expect(spec.linux?.namespaces.map(\.type) == [.uts, .mount, .ipc, .network])
        #expect(spec.unsupportedFields() == [])
    }

    @Test(
        "A malformed document is refused with the place and the reason",
        arguments: [
            // Not JSON.
            ("", "the document ends too early (line 1, column 1)"),
            ("{", "the document ends too early (line 1, column 2)"),
            ("{\"ociVersion\": \"1.0.0\"", "the document ends too early (line 1, column 23)"),
            ("{} x", "something follows the document (line 1, column 4)"),
            ("{}\n{}", "something follows the document (line 2, column 1)"),
            ("\u{FEFF}{}", "the document starts with a byte order mark (line 1, column 1)"),
            ("{\"a\": [1, 2,]}", "a[2]: unexpected character (line 1, column 13)"),
            ("{\"a\": 01}", "a: malformed number (line 1, column 9)"),
            ("{\"a\": 1.}", "a: malformed number (line 1, column 9)"),
            ("{\"a\": -}", "a: malformed number (line 1, column 8)"),
            ("{\"a\": tru}", "a: unexpected character (line 1, column 10)"),
            ("{'a': 1}", "unexpected character (line 1, column 2)"),
            ("{\"a\": \"\\x\"}", "a: malformed escape in a string (line 1, column 10)"),
            ("{\"a\": \"\\ud800\"}", "a: malformed escape in a string (line 1, column 14)"),
            ("{\"a\": \"\\udc00\"}", "a: malformed escape in a string (line 1, column 14)"),
            ("{\"a\": \"\n\"}", "a: unescaped control character in a string (line 1, column 8)"),
            ("// no\n{}", "unexpected character (line 1, column 1)"),
            // JSON, but not what is wanted.
            ("[]", "expected an object, found an array"),
            ("null", "expected an object, found null"),
            ("{}", "ociVersion: is required"),
            ("{\"ociVersion\": null}", "ociVersion: is required"),
            ("{\"ociVersion\": 1}", "ociVersion: expected a string, found a number"),
            ("{\"ociVersion\": \"1.0.0\", \"ociVersion\": \"1.0.1\"}", "the key \"ociVersion\" is given twice"),
            (minimal("\"mounts\": {}"), "mounts: expected an array, found an object"),
            (minimal("\"mounts\": [{\"type\": \"proc\"}]"), "mounts[0].destination: is required"),
            (minimal("\"annotations\": {\"a.b\": 1}"), "annotations[\"a.b\"]: expected a string, found a number"),
            (minimal("\"annotations\": {\"k\": \"a\\u0000b\"}"), "annotations.k: the string contains a NUL byte"),
            (
                minimal("\"hostname\": \"\(String(repeating: "h", count: 65))\""),
                "hostname: the string has 65 bytes, more than 64"
            ),
            (minimal(process: "\"env\": [\"A=1\", 2]"), "process.env[1]: expected a string, found a number"),
            (minimal(process: "\"env\": [null]"), "process.env[0]: expected a string, found null"),
            (minimal(process: "\"terminal\": \"yes\""), "process.terminal: expected true or false, found a string"),
            (
                minimal(process: "\"user\": {\"uid\": -1}"),
                "process.user.uid: expected an integer from 0 to 4294967295, found -1"
            ),
            (
                minimal(process: "\"user\": {\"uid\": 4294967296}"),
                "process.user.uid: expected an integer from 0 to 4294967295, found 4294967296"
            ),
            (
                minimal(process: "\"user\": {\"gid\": 1.0}"),
                "process.user.gid: expected an integer from 0 to 4294967295, found 1.0"
            ),
            (
                minimal(process: "\"user\": {\"gid\": 1e99}"),
                "process.user.gid: expected an integer from 0 to 4294967295, found 1e99"
            ),
            (
                minimal(process: "\"oomScoreAdj\": 99999999999999999999"),
                "process.oomScoreAdj: expected an integer from -9223372036854775808 to 9223372036854775807, "
                    + "found 99999999999999999999"
            ),
            (
                minimal(process: "\"rlimits\": [{\"type\": \"RLIMIT_FOO\", \"hard\": 1, \"soft\": 1}]"),
                "process.rlimits[0].type: unknown rlimit \"RLIMIT_FOO\""
            ),
            (
                minimal(process: "\"rlimits\": [{\"type\": \"RLIMIT_CPU\", \"hard\": 1}]"),
                "process.rlimits[0].soft: is required"
            ),
            (
                minimal(linux: "\"devices\": [{\"path\": \"/dev/x\", \"type\": \"z\"}]"),
                "linux.devices[0].type: unknown device type \"z\""
            ),
            (
                minimal(linux: "\"seccomp\": {\"defaultAction\": \"SCMP_ACT_PANIC\"}"),
                "linux.seccomp.defaultAction: unknown seccomp action \"SCMP_ACT_PANIC\""
            ),
            (
                minimal(
                    linux:
                        "\"seccomp\": {\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_VAX\"]}"),
                "linux.seccomp.architectures[0]: unknown seccomp architecture \"SCMP_ARCH_VAX\""
            ),
        ])
    func refused(text: String, error: String) { #expect(failure(text) == error) }

    @Test("An argument that is not a string is refused by its index")
    func argumentsOfTheWrongKind() {
        let text = "{\"ociVersion\": \"1.0.0\", \"process\": {\"cwd\": \"/\", \"args\": [\"a\", \"b\", 3]}}"
        #expect(failure(text) == "process.args[2]: expected a string, found a number")
    }

    @Test("An unknown namespace type is refused by its index and name")
    func unknownNamespace() {
        let text = """
            {"ociVersion": "1.0.0",
             "linux": {"namespaces": [{"type": "pid"}, {"type": "uts"}, {"type": "ipc"}, {"type": "foo"}]}}
            """
        #expect(failure(text) == "linux.namespaces[3].type: unknown namespace \"foo\"")
    }

    @Test("Raw NUL bytes and invalid UTF-8 in a string are refused")
    func rawNULAndInvalidUTF8() {
        let head = bytes("{\"ociVersion\": \"1")
        #expect(throws: SpecError("ociVersion", .embeddedNUL)) { try Spec.parse(head + [0] + bytes("\"}")) }
        for bad: [UInt8] in [[0xFF], [0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]] {
            #expect(throws: SpecError("ociVersion", .syntax(.invalidUTF8, line: 1, column: 19 + bad.count))) {
                try Spec.parse(head + bad + bytes("\"}"))
            }
        }
    }

    @Test("Nesting, number of values, document size and string lengths are bounded")
    func bounds() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(failure("{\"a\": \(deep)")?.contains("nested too deeply") == true)
        let many = String(repeating: "1,", count: Limit.values)
        #expect(failure("{\"a\": [\(many)1]}")?.contains("too many values") == true)
        let large = String(repeating: " ", count: Limit.document)
        #expect(failure("{}" + large) == "the document has 16777218 bytes, more than 16777216")
        let argument = String(repeating: "x", count: Limit.argument)
        #expect(
            failure(minimal(process: "\"env\": [\"A=\(argument)\"]"))
                == "process.env[0]: the string has 131073 bytes, more than 131071")
        #expect(failure(minimal(process: "\"env\": [\"A=\(argument.dropFirst(2))\"]")) == nil)
        let path = "/" + String(repeating: "p", count: 4095)
        #expect(
            failure(minimal(linux: "\"maskedPaths\": [\"\(path)\"]"))
                == "linux.maskedPaths[0]: the string has 4096 bytes, more than 4095")
    }

    @Test("A null field counts as absent")
    func nullIsAbsent() throws {
        let spec = try Spec.parse(
            bytes(minimal("\"mounts\": null, \"hooks\": null, \"annotations\": null", process: "\"env\": null")))
        #expect(spec.mounts == [])
        #expect(spec.hooks == nil)
        #expect(spec.process?.env == [])
    }

    @Test("Unknown keys are ignored")
    func unknownKeysAreIgnored() throws {
        let plain = try Spec.parse(bytes(minimal()))
        let more = try Spec.parse(
            bytes(minimal("\"x-new\": {\"a\": [1.5, 1e9, true]}", process: "\"wings\": 2", linux: "\"later\": null")))
        #expect(plain == more)
    }

    @Test("Escapes and Unicode in strings survive parsing and encoding")
    func stringsSurvive() throws {
        let text = #"{"ociVersion": "1.0.0", "annotations": {"k": "\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é😀<&>"}}"#
        let spec = try Spec.parse(bytes(text))
        #expect(spec.annotations["k"] == "\"\\/\u{8}\u{c}\n\r\té😀é😀<&>")
        #expect(try Spec.parse(spec.encoded()) == spec)
    }

    @Test("The largest and smallest integers survive parsing and encoding")
    func extremesOfIntegers() throws {
        let text = minimal(
            process: #""rlimits": [{"type": "RLIMIT_CORE", "hard": 18446744073709551615, "soft": 0}]"#,
            linux: #""resources": {"memory": {"limit": -1}}, "#
                + #""timeOffsets": {"monotonic": {"secs": -9223372036854775808}}"#)
        let spec = try Spec.parse(bytes(text))
        #expect(spec.process?.rlimits.first?.hard == .max)
        #expect(spec.linux?.timeOffsets["monotonic"]?.secs == .min)
        #expect(try Spec.parse(spec.encoded()) == spec)
    }

    @Test("Hostile text in an error is shortened and shown in printable characters")
    func hostileTextIsShownHarmlessly() {
        let name = "\u{1B}[2J\\n\u{202E}" + String(repeating: "x", count: 1000)
        let shown = SpecError("", .unknown(kind: "namespace", name: name)).description
        #expect(shown.unicodeScalars.allSatisfy { $0 == "…" || (" "..."~").contains($0) })
        #expect(shown.count < 200)
    }

    @Test("A process document is parsed and validated by itself")
    func aProcessOnItsOwn() throws {
        let process = try Spec.Process.parse(bytes(#"{"cwd": "/tmp", "args": ["ls"], "apparmorProfile": "x"}"#))
        try process.validate()
        #expect(process.unsupportedFields() == ["process.apparmorProfile"])
        #expect(throws: SpecError("cwd", .required)) { try Spec.Process.parse(bytes(#"{"args": ["ls"]}"#)) }
    }
}
