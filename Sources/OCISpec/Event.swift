// SPDX-License-Identifier: Apache-2.0
/// What `events` tells of a container, as runc's types/events.go has it.
public struct Event: Equatable, Sendable {
    /// What an event is about; the raw value is its `type` in JSON.
    public enum Kind: String, Sendable, CaseIterable {
        /// The container's figures now.
        case stats
        /// The kernel has killed in the container for want of memory.
        case oom
    }

    /// What it is about.
    public var kind: Kind
    /// The container's.
    public var id: String
    /// Of `stats` alone.
    public var statistics: Statistics?

    /// An event of the container `id`.
    public init(_ kind: Kind, id: String, statistics: Statistics? = nil) {
        self.kind = kind
        self.id = id
        self.statistics = statistics
    }

    /// Reads what `encoded` wrote.
    public static func parse(_ bytes: [UInt8]) throws(SpecError) -> Event {
        try Event(json: JSONParser.parse(bytes))
    }

    /// As `runc events` prints it: one line.
    public func encoded() -> [UInt8] { JSONWriter.bytes(json, indent: "") + [0x0A] }
}

extension Event: JSONObject {
    init() { self.init(.stats, id: "") }

    mutating func code(_ fields: inout FieldCoder) {
        fields.required("type", &kind)
        fields.required("id", &id)
        fields.field("data", &statistics)
    }
}

extension Event.Kind: JSONName { static var kind: String { "type of event" } }
