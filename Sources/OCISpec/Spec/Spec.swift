/// An OCI runtime configuration, the config.json of a bundle (runtime-spec 1.3, config.md).
///
/// Plain values, as the document gives them: `nil` or empty is what it does not say.
public struct Spec: Equatable, Sendable {
    /// The versions of the runtime-spec this reads.
    public static let oldestVersion = "1.0.0"
    public static let newestVersion = "1.3.0"
    /// The largest document read, in bytes.
    public static let byteLimit = Limit.document

    public var ociVersion = ""
    public var process: Process?
    public var root: Root?
    public var hostname = ""
    public var domainname = ""
    /// In the order they are to be mounted.
    public var mounts: [Mount] = []
    public var hooks: Hooks?
    public var annotations: [String: String] = [:]
    public var linux: Linux?
    public var vm: VM?
    // The sections of other systems are kept as they are, to be refused by name.
    var solaris: JSONValue?
    var windows: JSONValue?
    var zos: JSONValue?
    var freebsd: JSONValue?

    public init() {}

    /// Reads the bytes of a config.json: types, required fields and sizes. The rules are `validate`'s.
    public static func parse(_ bytes: [UInt8]) throws(SpecError) -> Spec {
        try Spec(json: JSONParser.parse(bytes))
    }

    /// The document as runc writes it: its order of keys, one tab a level, no newline at the end.
    public func encoded() -> [UInt8] { JSONWriter.bytes(json, indent: "\t") }
}

extension Spec: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("ociVersion", &ociVersion)
        fields.field("process", &process)
        fields.field("root", &root)
        fields.field("hostname", &hostname, bytes: Limit.hostname)
        fields.field("domainname", &domainname, bytes: Limit.hostname)
        fields.field("mounts", &mounts)
        fields.field("hooks", &hooks)
        fields.field("annotations", &annotations)
        fields.field("linux", &linux)
        fields.field("solaris", &solaris)
        fields.field("windows", &windows)
        fields.field("vm", &vm)
        fields.field("zos", &zos)
        fields.field("freebsd", &freebsd)
    }
}

extension Spec {
    /// The container's root filesystem (config.md#root).
    public struct Root: Equatable, Sendable {
        /// Absolute, or relative to the bundle.
        public var path = ""
        public var readonly = false

        public init() {}

        public init(path: String, readonly: Bool = false) {
            self.path = path
            self.readonly = readonly
        }
    }

    /// One mount (config.md#mounts).
    public struct Mount: Equatable, Sendable {
        public var destination = ""
        /// The filesystem; says nothing when the options make it a bind mount.
        public var type = ""
        public var source = ""
        /// As in fstab; `MountOptions` reads them.
        public var options: [String] = []
        public var uidMappings: [Linux.IDMapping] = []
        public var gidMappings: [Linux.IDMapping] = []

        public init() {}

        public init(destination: String, type: String, source: String, options: [String] = []) {
            self.destination = destination
            self.type = type
            self.source = source
            self.options = options
        }
    }

    /// What is run at points of the container's life (config.md#posix-platform-hooks).
    public struct Hooks: Equatable, Sendable {
        public var prestart: [Hook] = []
        public var createRuntime: [Hook] = []
        public var createContainer: [Hook] = []
        public var startContainer: [Hook] = []
        public var poststart: [Hook] = []
        public var poststop: [Hook] = []

        public init() {}
    }

    public struct Hook: Equatable, Sendable {
        public var path = ""
        public var args: [String] = []
        public var env: [String] = []
        /// Seconds after which the hook is killed.
        public var timeout: Int?

        public init() {}
    }
}

extension Spec.Root: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("path", &path, bytes: Limit.path)
        fields.field("readonly", &readonly)
    }
}

extension Spec.Mount: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("destination", &destination, bytes: Limit.path)
        fields.field("type", &type, bytes: Limit.path)
        fields.field("source", &source, bytes: Limit.path)
        fields.field("options", &options, bytes: Limit.mountOption)
        fields.field("uidMappings", &uidMappings)
        fields.field("gidMappings", &gidMappings)
    }
}

extension Spec.Hooks: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("prestart", &prestart)
        fields.field("createRuntime", &createRuntime)
        fields.field("createContainer", &createContainer)
        fields.field("startContainer", &startContainer)
        fields.field("poststart", &poststart)
        fields.field("poststop", &poststop)
    }
}

extension Spec.Hook: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.required("path", &path, bytes: Limit.path)
        fields.field("args", &args, bytes: Limit.argument)
        fields.field("env", &env, bytes: Limit.argument)
        fields.field("timeout", &timeout)
    }
}
