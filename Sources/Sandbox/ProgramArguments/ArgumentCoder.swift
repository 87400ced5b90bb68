// SPDX-License-Identifier: Apache-2.0
import CLinux
import Glibc
import Linux

/// A command line, or the value of one flag, while it is written or read. An ``ArgumentList`` names its flags to it.
public struct ArgumentCoder {
    enum Direction {
        /// Finds out which flags there are, and which have a value.
        case learning
        case reading
        case writing
    }

    enum Form: Equatable {
        /// A word for each flag and for each value.
        case flags
        /// `key=value,word`, all in the value of `flag`; `text` is what is read.
        case fields(flag: String, text: String)
    }

    private enum Kind {
        case bare
        case valued
        case repeated
    }

    private struct Claim {
        let flag: String
        let number: Int32
    }

    private let direction: Direction
    private let form: Form
    private var kinds: [String: Kind] = [:]
    /// What is read, and nothing has taken yet.
    private var values: [String: [String]] = [:]
    /// What has been written: a flag and its value, or one field.
    private(set) var words: [String] = []
    /// Descriptors that have been named, each to be owned by the program.
    private var claims: [Claim] = []
    /// Descriptors go along with a message, and are named by their place there.
    private let passesDescriptors: Bool
    private let passed: [Int32]

    private init(
        _ direction: Direction, _ form: Form, passesDescriptors: Bool = false, passed: [Int32] = []
    ) {
        self.direction = direction
        self.form = form
        self.passesDescriptors = passesDescriptors
        self.passed = passed
    }

    init(writing form: Form, passesDescriptors: Bool = false) {
        self.init(.writing, form, passesDescriptors: passesDescriptors)
    }

    /// - Parameter passed: the descriptors that came with the words; nil: words name descriptors by number.
    init<List: ArgumentList>(
        reading words: some Sequence<String>, as list: List.Type, passed: [Int32]? = nil
    ) throws(ArgumentError) {
        self.init(.reading, .flags, passesDescriptors: passed != nil, passed: passed ?? [])
        var known = ArgumentCoder(.learning, .flags)
        var empty = List()
        try empty.list(&known)
        var rest = Array(words)[...]
        while let flag = rest.popFirst() {
            guard let kind = known.kinds[flag] else { throw .unknownFlag(flag) }
            guard values[flag] == nil || kind == .repeated else { throw .repeatedFlag(flag) }
            if kind == .bare {
                values[flag] = [""]
                continue
            }
            guard let value = rest.popFirst() else { throw .missingValue(flag: flag) }
            values[flag, default: []].append(value)
        }
    }

    init(fields text: String, of flag: String) throws(ArgumentError) {
        self.init(.reading, .fields(flag: flag, text: text))
        if text.isEmpty { return }
        for field in text.split(at: ",", omittingEmptySubsequences: false) {
            let parts = field.split(at: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard !parts[0].isEmpty, values[parts[0]] == nil else { throw .badValue(flag: flag, value: text) }
            values[parts[0]] = [parts.count == 2 ? parts[1] : ""]
        }
    }

    /// Refuses what has been given and no property was read from.
    func finish() throws(ArgumentError) {
        guard let name = values.keys.min() else { return }
        if case .fields(let flag, let text) = form { throw .badValue(flag: flag, value: text) }
        throw .unknownFlag(name)
    }

    /// Refuses a descriptor that is not open.
    func checkDescriptors() throws(ArgumentError) {
        for claim in claims {
            do {
                try syscall(__NR_fcntl, Int(claim.number), Int(F_GETFD))
            } catch {
                throw .descriptor(flag: claim.flag, number: claim.number, error)
            }
        }
    }

    /// Only the flags' names are asked for: values mean nothing.
    var isLearning: Bool { direction == .learning }

    /// The descriptors that have been named, in order.
    var descriptors: [Int32] { claims.map(\.number) }
}

// What a list names its flags by.
extension ArgumentCoder {
    /// A flag that may be left out; nil where it is.
    public mutating func value<Value>(
        _ name: String, _ value: inout Value?, _ syntax: ArgumentSyntax<Value>
    ) throws(ArgumentError) {
        switch direction {
        case .learning: kinds[name] = .valued
        case .reading:
            value = try take(name).map { (text) throws(ArgumentError) in try parsed(text, name, syntax) }
        case .writing:
            guard let some = value else { return }
            let text = syntax.write(some)
            guard try parsed(text, name, syntax) == some, isWritable(text) else {
                throw .badValue(flag: flag(name), value: text)
            }
            write(name, text)
        }
    }

    /// A flag that must be given.
    public mutating func value<Value>(
        _ name: String, _ value: inout Value, _ syntax: ArgumentSyntax<Value>
    ) throws(ArgumentError) {
        var given: Value? = value
        try self.value(name, &given, syntax)
        guard let given else { throw missing(name, isNumeric: false) }
        value = given
    }

    /// A flag that is left out where it says what `initial` says.
    public mutating func value<Value>(
        _ name: String, _ value: inout Value, _ syntax: ArgumentSyntax<Value>, initial: Value
    ) throws(ArgumentError) {
        var given = value == initial ? nil : value
        try self.value(name, &given, syntax)
        value = given ?? initial
    }

    /// A flag without a value, which is there or is not.
    public mutating func isSet(_ name: String, _ value: inout Bool) throws(ArgumentError) {
        switch direction {
        case .learning: kinds[name] = .bare
        case .reading:
            let text = take(name)
            guard text ?? "" == "" else { throw bad(name, text ?? "") }
            value = text != nil
        case .writing: if value { write(name, nil) }
        }
    }

    /// A descriptor that may be left out. No other flag names it: it is the program's own.
    ///
    /// - Parameter minimum: the lowest number taken.
    public mutating func descriptor(
        _ name: String, _ value: inout Int32?, minimum: Int32 = 0
    ) throws(ArgumentError) {
        switch direction {
        case .learning: kinds[name] = .valued
        case .reading:
            guard let text = take(name) else { return value = nil }
            guard let number = number(text), number >= minimum else { throw .badNumber(flag: flag(name), value: text) }
            try claim(name, number)
            value = number
        case .writing:
            guard let number = value else { return }
            guard number >= minimum else { throw .badNumber(flag: flag(name), value: "\(number)") }
            try claim(name, number)
            write(name, "\(passesDescriptors ? Int32(claims.count - 1) : number)")
        }
    }

    /// A descriptor that must be given.
    public mutating func descriptor(
        _ name: String, _ value: inout Int32, minimum: Int32 = 0
    ) throws(ArgumentError) {
        var given: Int32? = value
        try descriptor(name, &given, minimum: minimum)
        guard let given else { throw missing(name, isNumeric: true) }
        value = given
    }

    /// A flag that may be repeated, each time with the fields of one of `values`.
    ///
    /// - Parameter isRequired: it is there at least once.
    public mutating func fields<Fields: ArgumentList>(
        _ name: String, _ values: inout [Fields], isRequired: Bool = false
    ) throws(ArgumentError) {
        switch direction {
        case .learning: kinds[name] = .repeated
        case .reading:
            values = []
            for text in self.values.removeValue(forKey: name) ?? [] {
                var coder = try ArgumentCoder(fields: text, of: name)
                coder.claims = claims
                var fields = Fields()
                try fields.list(&coder)
                try coder.finish()
                claims = coder.claims
                values.append(fields)
            }
        case .writing:
            for var fields in values {
                var coder = ArgumentCoder(writing: .fields(flag: name, text: ""))
                coder.claims = claims
                try fields.list(&coder)
                claims = coder.claims
                write(name, coder.words.joined(separator: ","))
            }
        }
        if isRequired, values.isEmpty, direction != .learning { throw missing(name, isNumeric: false) }
    }

    /// Flags that go together: they are there where `name`, one of them, is.
    public mutating func group<Group: ArgumentList>(
        ifGiven name: String, _ group: inout Group?
    ) throws(ArgumentError) {
        var known = group ?? Group()
        switch direction {
        case .learning: break
        case .reading:
            guard values[name] != nil else { return group = nil }
        case .writing:
            guard group != nil else { return }
        }
        try known.list(&self)
        group = known
    }
}

extension ArgumentCoder {
    private mutating func take(_ name: String) -> String? { values.removeValue(forKey: name)?.first }

    private mutating func write(_ name: String, _ text: String?) {
        switch form {
        case .flags: words += [name] + [text].compactMap(\.self)
        case .fields: words.append(text.map { "\(name)=\($0)" } ?? name)
        }
    }

    private func parsed<Value>(
        _ text: String, _ name: String, _ syntax: ArgumentSyntax<Value>
    ) throws(ArgumentError) -> Value {
        if let value = syntax.read(text) { return value }
        throw syntax.isNumeric ? .badNumber(flag: flag(name), value: text) : bad(name, text)
    }

    /// Whether `text` is a word, or the value of a field, whatever it holds.
    private func isWritable(_ text: String) -> Bool {
        !text.utf8.contains(0) && (form == .flags || !text.utf8.contains(UInt8(ascii: ",")))
    }

    /// The descriptor that `text` names.
    private func number(_ text: String) -> Int32? {
        guard let number = UInt64(decimal: text).flatMap({ Int32(exactly: $0) }) else { return nil }
        guard passesDescriptors else { return number }
        return passed.indices.contains(Int(number)) ? passed[Int(number)] : nil
    }

    private mutating func claim(_ name: String, _ number: Int32) throws(ArgumentError) {
        guard !claims.contains(where: { $0.number == number }) else {
            throw .sharedDescriptor(flag: flag(name), number: number)
        }
        claims.append(Claim(flag: flag(name), number: number))
    }

    /// What errors name: the flag whose fields these are, or `name` itself.
    private func flag(_ name: String) -> String {
        if case .fields(let flag, _) = form { return flag }
        return name
    }

    private func bad(_ name: String, _ text: String) -> ArgumentError {
        guard case .fields(let flag, let whole) = form, direction == .reading else {
            return .badValue(flag: flag(name), value: text)
        }
        return .badValue(flag: flag, value: whole)
    }

    private func missing(_ name: String, isNumeric: Bool) -> ArgumentError {
        guard case .fields(let flag, let text) = form else { return .missingFlag(name) }
        return isNumeric ? .badNumber(flag: flag, value: "") : .badValue(flag: flag, value: text)
    }
}
