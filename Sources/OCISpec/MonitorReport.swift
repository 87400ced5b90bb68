// SPDX-License-Identifier: Apache-2.0
/// What the monitor of a virtual machine tells of itself: an object of whatever it counts.
///
/// It comes from another process, and is handed on as it is: it is read strictly, and written anew.
public struct MonitorReport: Equatable, Sendable {
    /// Bytes of a report.
    public static let byteLimit = 1 << 20

    let value: JSONValue

    /// - Throws: where `bytes` are more than ``byteLimit``, no JSON, no object, or hold a number that is no 64-bit
    ///   integer: counts are.
    public init(parsing bytes: [UInt8]) throws(SpecError) {
        guard bytes.count <= Self.byteLimit else {
            throw SpecError("", .documentTooLarge(byteCount: bytes.count, limit: Self.byteLimit))
        }
        try self.init(json: JSONParser.parse(bytes))
    }
}

extension MonitorReport: JSONCoded {
    init(json: JSONValue) throws(SpecError) {
        guard case .object = json else {
            throw SpecError("", .wrongType(expected: "an object", found: json.kind))
        }
        try Self.check(json)
        value = json
    }

    var json: JSONValue { value }
    var isZero: Bool { false }

    /// A number that is not an integer loses its last digits, so it is not written again.
    private static func check(_ value: JSONValue) throws(SpecError) {
        switch value {
        case .otherNumber: throw SpecError("", .wrongType(expected: "an integer", found: value.kind))
        case .array(let elements):
            for (index, element) in elements.enumerated() {
                try within("[\(index)]", try check(element))
            }
        case .object(let members):
            for member in members {
                try within(pathKey(member.key), try check(member.value))
            }
        case .null, .bool, .integer, .string: return
        }
    }
}
