extension Spec {
    /// Checks what the types cannot say. The first breach found is the error; it names the path.
    ///
    /// The rules are the runtime-spec's, as runc reads them. A name that is known but that this runtime does not
    /// honour is no error here: see `unhonoured`.
    public func validate() throws(SpecError) {
        try Version.check(ociVersion)
        guard let process else { throw SpecError("process", .required) }
        try within("process") { () throws(SpecError) in try process.validate() }
        guard let root else { throw SpecError("root", .required) }
        if root.path.isEmpty { throw SpecError("root.path", .empty) }
        if !annotations.keys.allSatisfy({ !$0.isEmpty }) { throw SpecError("annotations", .empty) }
        for (index, mount) in mounts.enumerated() {
            try within("mounts[\(index)]") { () throws(SpecError) in try mount.validate() }
        }
        if let hooks { try within("hooks") { () throws(SpecError) in try hooks.validate() } }
        let types = Set(linux?.namespaces.map(\.type) ?? [])
        for (field, text) in [("hostname", hostname), ("domainname", domainname)] where !text.isEmpty {
            if !types.contains(.uts) { throw SpecError(field, .needsNamespace(.uts)) }
        }
        if let linux { try within("linux") { () throws(SpecError) in try linux.validate(hostname: hostname) } }
        if let vm { try within("vm") { () throws(SpecError) in try vm.validate() } }
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

extension Spec.VM {
    func validate() throws(SpecError) {
        if let hypervisor { try requireAbsolute(hypervisor.path, "hypervisor.path") }
        if let kernel, kernel != Kernel() {
            try requireAbsolute(kernel.path, "kernel.path")
            if !kernel.initrd.isEmpty { try requireAbsolute(kernel.initrd, "kernel.initrd") }
        }
        if let image, image != Image() { try requireAbsolute(image.path, "image.path") }
    }
}

/// Paths are looked at byte by byte: Swift's characters would take a slash and what combines with it for one.
func isAbsolute(_ path: String) -> Bool { path.utf8.first == UInt8(ascii: "/") }

func requireAbsolute(_ path: String, _ field: @autoclosure () -> String) throws(SpecError) {
    if path.isEmpty { throw SpecError(field(), .empty) }
    if !isAbsolute(path) { throw SpecError(field(), .notAbsolute(path)) }
}

func hasParentReference(_ path: String) -> Bool {
    path.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
}

/// `1.0.2-dev`, `1.3.0`: semver 2.0.0, of which the order of pre-releases does not matter here.
enum Version {
    static func check(_ text: String) throws(SpecError) {
        if text.isEmpty { throw SpecError("ociVersion", .empty) }
        guard let (major, minor, isPreRelease) = read(text) else {
            throw SpecError("ociVersion", .malformed(kind: "semantic version", value: text))
        }
        let beforeOne = minor == 0 && isPreRelease && text.utf8.starts(with: "1.0.0-".utf8)
        guard major == 1, minor <= 3, !beforeOne else {
            throw SpecError(
                "ociVersion", .unsupportedVersion(text, lowest: Spec.oldestVersion, highest: "1.3.x"))
        }
    }

    private static func read(_ text: String) -> (major: Int, minor: Int, isPreRelease: Bool)? {
        let noBuild = text.utf8.split(separator: UInt8(ascii: "+"), maxSplits: 1, omittingEmptySubsequences: false)[0]
        let parts = noBuild.split(separator: UInt8(ascii: "-"), maxSplits: 1, omittingEmptySubsequences: false)
        let fields = parts[0].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let numbers = fields.map { field in
            field.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? Int(String(decoding: field, as: UTF8.self)) : nil
        }
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], numbers[2] != nil,
            parts.count == 1 || !parts[1].isEmpty
        else { return nil }
        return (major, minor, parts.count == 2)
    }
}
