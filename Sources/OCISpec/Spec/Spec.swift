// SPDX-License-Identifier: Apache-2.0
/// An OCI runtime configuration, the config.json of a bundle (runtime-spec 1.3, config.md).
///
/// Plain values, as the document gives them: `nil` or empty is what it does not say.
public struct Spec: Equatable, Sendable {
    /// The versions of the runtime-spec this reads.
    public static let oldestVersion = "1.0.0"
    /// The newest version of the runtime-spec whose fields are known here.
    public static let newestVersion = "1.3.0"
    /// The largest document read, in bytes.
    public static let byteLimit = Limit.document

    /// The version of the runtime-spec that the document complies with.
    public var ociVersion = ""
    /// The container's first process; `start` needs one.
    public var process: Process?
    /// The root file system.
    public var root: Root?
    /// Host name in the container's UTS namespace; empty leaves it.
    public var hostname = ""
    /// NIS domain name there; empty leaves it.
    public var domainname = ""
    /// In the order they are to be mounted.
    public var mounts: [Mount] = []
    /// Programs run at points of the container's life.
    public var hooks: Hooks?
    /// Further properties, by name.
    public var annotations: [String: String] = [:]
    /// What is particular to Linux.
    public var linux: Linux?
    /// What is asked of the virtual machine.
    public var vm: VM?
    // The sections of other systems are kept as they are, to be refused by name.
    var solaris: JSONValue?
    var windows: JSONValue?
    var zos: JSONValue?
    var freebsd: JSONValue?

    /// Every field absent or at its default.
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
        fields.unsupported("solaris", &solaris)
        fields.unsupported("windows", &windows)
        fields.unsupported("vm", &vm)
        fields.unsupported("zos", &zos)
        fields.unsupported("freebsd", &freebsd)
    }
}

extension Spec {
    /// The container's root filesystem (config.md#root).
    public struct Root: Equatable, Sendable {
        /// Absolute, or relative to the bundle.
        public var path = ""
        /// Whether it is mounted read-only.
        public var readonly = false

        /// Every field absent or at its default.
        public init() {}

        /// The root at `path`, absolute or relative to the bundle.
        public init(path: String, readonly: Bool = false) {
            self.path = path
            self.readonly = readonly
        }
    }

    /// One mount (config.md#mounts).
    public struct Mount: Equatable, Sendable {
        /// Where it is mounted: an absolute path in the container.
        public var destination = ""
        /// The filesystem; says nothing when the options make it a bind mount.
        public var type = ""
        /// A device, a name, or for bind mounts a path of the host, absolute or relative to the bundle.
        public var source = ""
        /// As in fstab; `MountOptions` reads them.
        public var options: [String] = []
        /// Mapping of user ids, for id-mapped mounts.
        public var uidMappings: [Linux.IDMapping] = []
        /// Mapping of group ids, for id-mapped mounts.
        public var gidMappings: [Linux.IDMapping] = []

        /// Every field absent or at its default.
        public init() {}

        /// A mount of `source` at `destination`.
        public init(destination: String, type: String, source: String, options: [String] = []) {
            self.destination = destination
            self.type = type
            self.source = source
            self.options = options
        }
    }

    /// What is run at points of the container's life (config.md#posix-platform-hooks).
    public struct Hooks: Equatable, Sendable {
        /// Deprecated: as `createRuntime`, and run before those.
        public var prestart: [Hook] = []
        /// During `create`, in the runtime's namespaces.
        public var createRuntime: [Hook] = []
        /// During `create`, in the container's namespaces, before its root is entered.
        public var createContainer: [Hook] = []
        /// During `start`, in the container.
        public var startContainer: [Hook] = []
        /// After the container's process has started, in the runtime's namespaces.
        public var poststart: [Hook] = []
        /// After the container is deleted, in the runtime's namespaces.
        public var poststop: [Hook] = []

        /// Every field absent or at its default.
        public init() {}
    }

    /// One program; it reads the container's state from its standard input.
    public struct Hook: Equatable, Sendable {
        /// The program: an absolute path.
        public var path = ""
        /// Its arguments, the first its name.
        public var args: [String] = []
        /// Its environment, as `NAME=value`.
        public var env: [String] = []
        /// Seconds after which the hook is killed.
        public var timeout: Int?

        /// Every field absent or at its default.
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
        fields.unsupported("uidMappings", &uidMappings)
        fields.unsupported("gidMappings", &gidMappings)
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

extension Spec {
    /// Checks what the types cannot say. The first breach found is the error; it names the path.
    ///
    /// The rules are the runtime-spec's, as runc reads them. A field that is known but that this runtime does not
    /// support is no error here: see ``unsupportedFields()``.
    public func validate() throws(SpecError) {
        try Version.check(ociVersion)
        guard let process else { throw SpecError("process", .required) }
        try within("process", try process.validate())
        guard let root else { throw SpecError("root", .required) }
        if root.path.isEmpty { throw SpecError("root.path", .empty) }
        if !annotations.keys.allSatisfy({ !$0.isEmpty }) { throw SpecError("annotations", .empty) }
        for (index, mount) in mounts.enumerated() {
            try within("mounts[\(index)]", try mount.validate())
        }
        if let hooks { try within("hooks", try hooks.validate()) }
        let types = Set(linux?.namespaces.map(\.type) ?? [])
        for (field, text) in [("hostname", hostname), ("domainname", domainname)] where !text.isEmpty {
            if !types.contains(.uts) { throw SpecError(field, .needsNamespace(.uts)) }
        }
        if let linux { try within("linux", try linux.validate(hostname: hostname)) }
        if let vm { try within("vm", try vm.validate()) }
    }
}

extension Spec.Mount {
    func validate() throws(SpecError) {
        try requireAbsolute(destination, "destination")
        let parsed = parsedOptions
        if type.isEmpty, !parsed.isBind { throw SpecError("type", .required) }
        if parsed.isBind, source.isEmpty { throw SpecError("source", .required) }
        if parsed.data.utf8.count > Limit.mountOption {
            throw SpecError("options", .tooLong(byteCount: parsed.data.utf8.count, limit: Limit.mountOption))
        }
        if !uidMappings.isEmpty || !gidMappings.isEmpty, !parsed.isBind {
            throw SpecError(uidMappings.isEmpty ? "gidMappings" : "uidMappings", .onlyWith("the option \"bind\""))
        }
    }
}

extension Spec.Hooks {
    func validate() throws(SpecError) {
        let all = [
            ("prestart", prestart), ("createRuntime", createRuntime), ("createContainer", createContainer),
            ("startContainer", startContainer), ("poststart", poststart), ("poststop", poststop),
        ]
        for (name, hooks) in all {
            for (index, hook) in hooks.enumerated() {
                try requireAbsolute(hook.path, "\(name)[\(index)].path")
                if let timeout = hook.timeout, timeout <= 0 {
                    throw SpecError(
                        "\(name)[\(index)].timeout",
                        .outOfRange(found: "\(timeout)", lowest: "1", highest: "\(Int.max)"))
                }
            }
        }
    }
}
