// SPDX-License-Identifier: Apache-2.0
/// The state of a container, as `state` and `list` print it (runtime-spec runtime.md#state).
public struct State: Equatable, Sendable {
    /// Where a container is in its life (runtime.md#state).
    public enum Status: String, Sendable, CaseIterable {
        case creating, created, running, stopped
        /// Not the runtime-spec's, but runc's.
        case paused
    }

    /// The version of the runtime-spec that the state complies with.
    public var ociVersion = Spec.newestVersion
    /// The container's id.
    public var id = ""
    /// The container's process on the host; 0 when it has none.
    public var pid = 0
    /// Where the container is in its life.
    public var status = Status.creating
    /// Absolute.
    public var bundle = ""
    /// Absolute. This, `created` and `owner` are runc's additions.
    public var rootfs = ""
    /// RFC 3339, as `2024-02-29T12:00:00.123456789Z`.
    public var created = ""
    /// The annotations of the bundle's document.
    public var annotations: [String: String] = [:]
    /// The name of the user who made the container.
    public var owner = ""

    /// The state of the container `id`; `bundle` is an absolute path.
    public init(id: String, pid: Int, status: Status, bundle: String) {
        self.id = id
        self.pid = pid
        self.status = status
        self.bundle = bundle
    }

    /// Reads what `encoded` wrote.
    public static func parse(_ bytes: [UInt8]) throws(SpecError) -> State {
        try State(json: JSONParser.parse(bytes))
    }

    /// As `runc state` prints it: two spaces a level, no newline at the end.
    public func encoded() -> [UInt8] { JSONWriter.bytes(json, indent: "  ") }

    /// As `runc list --format json` prints them: one line; `null` when there are none.
    public static func encoded(list: [State]) -> [UInt8] {
        JSONWriter.bytes(list.isEmpty ? .null : list.json, indent: "") + [0x0A]
    }
}

extension State: JSONObject {
    init() {}

    mutating func code(_ fields: inout FieldCoder) {
        fields.required("ociVersion", &ociVersion)
        fields.required("id", &id)
        fields.always("pid", &pid)
        fields.required("status", &status)
        fields.required("bundle", &bundle)
        fields.always("rootfs", &rootfs)
        fields.always("created", &created)
        fields.field("annotations", &annotations)
        fields.always("owner", &owner)
    }
}

extension State.Status: JSONName { static var kind: String { "status" } }
