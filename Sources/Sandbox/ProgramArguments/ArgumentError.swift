// SPDX-License-Identifier: Apache-2.0
public import Linux

/// Why a command line is refused, by the program that reads it or by the one that would write it.
public enum ArgumentError: Error, Hashable, Sendable {
    case unknownFlag(String)
    case repeatedFlag(String)
    case missingFlag(String)
    case missingValue(flag: String)
    case badNumber(flag: String, value: String)
    case badValue(flag: String, value: String)
    /// Two flags that exclude each other.
    case conflictingFlags(String, String)
    /// Two flags name one descriptor: each is to be owned once.
    case sharedDescriptor(flag: String, number: Int32)
    /// The descriptor is not open.
    case descriptor(flag: String, number: Int32, Errno)
    /// The first word names none of the program's modes.
    case mode(String, known: [String])
}

extension ArgumentError: CustomStringConvertible {
    /// For a person.
    public var description: String {
        switch self {
        case .unknownFlag(let flag): "unknown flag \(flag)"
        case .repeatedFlag(let flag): "\(flag) is given twice"
        case .missingFlag(let flag): "\(flag) is missing"
        case .missingValue(let flag): "\(flag) needs a value"
        case .badNumber(let flag, let value): "\(flag): \"\(value)\" is not a number in range"
        case .badValue(let flag, let value): "\(flag): \"\(value)\" is invalid"
        case .conflictingFlags(let first, let second): "\(first) and \(second) exclude each other"
        case .sharedDescriptor(let flag, let number): "\(flag): descriptor \(number) is named twice"
        case .descriptor(let flag, let number, let error): "\(flag): descriptor \(number): \(error)"
        case .mode(let word, let known):
            "\"\(word)\": the first word is \(known.map { "\"\($0)\"" }.joined(separator: " or "))"
        }
    }
}
