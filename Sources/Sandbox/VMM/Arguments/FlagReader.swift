import CLinux
import Glibc
import Linux

/// The words behind a program's name as flags with values. Who reads a flag says what it must be; what nobody
/// reads is refused by ``finish()``.
struct FlagReader {
    private var values: [String: [String]] = [:]
    private var descriptors: [(flag: String, number: Int32)] = []

    /// - Parameter repeatable: the flags that may stand more than once.
    init(_ words: ArraySlice<String>, repeatable: Set<String> = []) throws(VMMError) {
        var rest = words
        while let flag = rest.popFirst() {
            guard flag.hasPrefix("--") else { throw .unknownFlag(flag) }
            guard values[flag] == nil || repeatable.contains(flag) else { throw .repeatedFlag(flag) }
            guard let value = rest.popFirst() else { throw .missingValue(flag: flag) }
            values[flag, default: []].append(value)
        }
    }

    /// All values of a flag that may be repeated, in order.
    mutating func all(_ flag: String) -> [String] { values.removeValue(forKey: flag) ?? [] }

    mutating func text(_ flag: String) -> String? { values.removeValue(forKey: flag)?.first }

    mutating func number(_ flag: String, _ range: ClosedRange<UInt64>) throws(VMMError) -> UInt64 {
        guard let value = text(flag) else { throw .missingFlag(flag) }
        guard let number = Self.number(value), range.contains(number) else {
            throw .badNumber(flag: flag, value: value)
        }
        return number
    }

    /// A descriptor that must be given, to be owned by the caller.
    mutating func descriptor(_ flag: String) throws(VMMError) -> Int32 {
        guard let number = try optionalDescriptor(flag) else { throw .missingFlag(flag) }
        return number
    }

    mutating func optionalDescriptor(_ flag: String) throws(VMMError) -> Int32? {
        guard let value = text(flag) else { return nil }
        return try descriptor(value, of: flag)
    }

    /// Takes `text` for a descriptor of its own.
    mutating func descriptor(_ text: String, of flag: String) throws(VMMError) -> Int32 {
        guard let value = Self.number(text), let number = Int32(exactly: value) else {
            throw .badNumber(flag: flag, value: text)
        }
        guard !descriptors.contains(where: { $0.number == number }) else {
            throw .sharedDescriptor(flag: flag, number: number)
        }
        descriptors.append((flag, number))
        return number
    }

    /// Refuses what nobody has read.
    func finish() throws(VMMError) {
        if let flag = values.keys.min() { throw .unknownFlag(flag) }
    }

    /// Whether everything named is open.
    func checkDescriptors() throws(VMMError) {
        for (flag, number) in descriptors {
            do {
                try syscall(__NR_fcntl, Int(number), Int(F_GETFD))
            } catch {
                throw .descriptor(flag: flag, number: number, error)
            }
        }
    }

    /// Digits only: what else `UInt64.init` takes is a mistake here.
    static func number(_ text: some StringProtocol) -> UInt64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return UInt64(text)
    }

    /// The log's descriptor where the command line names one, be the rest as it may.
    static func logDescriptor(in words: [String]) -> Int32? {
        guard let index = words.firstIndex(of: "--log-fd"), index + 1 < words.count else { return nil }
        return Int32(words[index + 1])
    }
}
