// SPDX-License-Identifier: Apache-2.0
import Protobuf
import SandboxPlan

extension ProcessPlan: PackedMessage {
    package static let blank = ProcessPlan(arguments: [])

    package mutating func exchange(_ fields: MessageFields) {
        fields.terminatedTexts("arguments", &arguments)
        if fields.isReading, arguments.isEmpty { fields.fail("arguments") { .missing(field: $0) } }
        fields.terminatedTexts("environment", &environment)
        fields.text("working_directory", &workingDirectory)
        fields.number("uid", &user.uid)
        fields.number("gid", &user.gid)
        fields.numbers("additional_groups", &user.additionalGroups)
        fields.number("umask", ifSet: "has_umask", &user.umask)
        fields.flag("has_terminal", &hasTerminal)
        var size = terminalSize ?? TerminalSize(rows: 0, columns: 0)
        size.exchange(fields, rows: "terminal_rows", columns: "terminal_columns")
        terminalSize = size.rows == 0 && size.columns == 0 ? nil : size
        fields.flag("terminal_keeps_newlines", &terminalKeepsNewlines)
        fields.messages("resource_limits", &resourceLimits)
        fields.required("capabilities", &capabilities)
        fields.flag("no_new_privileges", &noNewPrivileges)
        fields.number("oom_score_adjustment", ifSet: "has_oom_score_adjustment", &oomScoreAdjustment)
        var filter = seccomp ?? SeccompPlan(program: [], flags: 0)
        fields.data("seccomp_program", &filter.program)
        fields.number("seccomp_flags", &filter.flags)
        guard fields.isReading else { return }
        seccomp = filter.program.isEmpty ? nil : filter
        if !filter.program.count.isMultiple(of: 8) || filter.program.count > 8 * 4096 {
            fields.fail("seccomp_program") { .wrongByteCount(field: $0, byteCount: filter.program.count) }
        }
    }
}

extension TerminalSize {
    /// The two fields of these names, in a message that has others.
    mutating func exchange(_ fields: MessageFields, rows rowsName: StaticString, columns columnsName: StaticString) {
        fields.number(rowsName, &rows, as: UInt32.self)
        fields.number(columnsName, &columns, as: UInt32.self)
    }
}

extension ResourceLimit: PackedMessage {
    package static let blank = ResourceLimit(resource: 0, soft: 0, hard: 0)

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("resource", &resource)
        fields.number("soft", &soft)
        fields.number("hard", &hard)
    }
}

extension CapabilityPlan: PackedMessage {
    package static let blank = CapabilityPlan()

    package mutating func exchange(_ fields: MessageFields) {
        fields.number("bounding", &bounding)
        fields.number("effective", &effective)
        fields.number("permitted", &permitted)
        fields.number("inheritable", &inheritable)
        fields.number("ambient", &ambient)
    }
}

extension MessageFields {
    /// Texts with a NUL after each, as execve(2) keeps them: there may be hundreds of thousands.
    fileprivate func terminatedTexts(_ name: StaticString, _ texts: inout [String]) {
        var bytes: [UInt8] = []
        if !isReading {
            bytes.reserveCapacity(texts.reduce(0) { $0 + $1.utf8.count + 1 })
            for text in texts {
                if text.utf8.contains(0) { fail(name) { .containsNUL(field: $0) } }
                bytes += text.utf8
                bytes.append(0)
            }
        }
        data(name, &bytes)
        guard isReading else { return }
        texts = []
        guard bytes.last ?? 0 == 0 else { return failAsNotCanonical() }
        var rest = bytes[...]
        // The last byte is a NUL.
        while let end = rest.firstIndex(of: 0) {
            guard let text = String(validating: rest[..<end], as: UTF8.self) else {
                return fail(name) { .notUTF8(field: $0) }
            }
            texts.append(text)
            rest = rest[(end + 1)...]
        }
    }
}
