extension Spec.Linux {
    func validate(hostname: String) throws(SpecError) {
        let types = try validateNamespaces()
        for (field, mappings) in [("uidMappings", uidMappings), ("gidMappings", gidMappings)]
        where !mappings.isEmpty && !types.contains(.user) {
            throw SpecError(field, .needsNamespace(.user))
        }
        for clock in timeOffsets.keys.sorted() {
            if !types.contains(.time) { throw SpecError("timeOffsets", .needsNamespace(.time)) }
            if clock != "monotonic", clock != "boottime" {
                throw SpecError("timeOffsets", .unknown(kind: "clock", name: clock))
            }
        }
        for (field, paths) in [("maskedPaths", maskedPaths), ("readonlyPaths", readonlyPaths)] where !paths.isEmpty {
            if !types.contains(.mount) { throw SpecError(field, .needsNamespace(.mount)) }
            for (index, path) in paths.enumerated() { try requireAbsolute(path, "\(field)[\(index)]") }
        }
        for key in sysctl.keys.sorted() {
            try within("sysctl[\(quoted(key))]") { () throws(SpecError) in try validateSysctl(key, types) }
        }
        for (index, device) in devices.enumerated() {
            try within("devices[\(index)]") { () throws(SpecError) in try device.validate() }
        }
        if hasParentReference(cgroupsPath) { throw SpecError("cgroupsPath", .parentReference(cgroupsPath)) }
        if !rootfsPropagation.isEmpty, MountOptions.Propagation(option: rootfsPropagation) == nil {
            throw SpecError("rootfsPropagation", .unknown(kind: "propagation", name: rootfsPropagation))
        }
        if let resources { try within("resources") { () throws(SpecError) in try resources.validate() } }
        if let seccomp { try within("seccomp") { () throws(SpecError) in try seccomp.validate() } }
        if let closID = intelRdt?.closID, closID == "." || closID == ".." || closID.utf8.contains(UInt8(ascii: "/")) {
            throw SpecError("intelRdt.closID", .malformed(kind: "class of service", value: closID))
        }
    }

    private func validateNamespaces() throws(SpecError) -> Set<NamespaceType> {
        var types: Set<NamespaceType> = []
        for (index, namespace) in namespaces.enumerated() {
            guard types.insert(namespace.type).inserted else {
                throw SpecError(
                    "namespaces[\(index)].type", .duplicate(kind: "namespace", value: namespace.type.rawValue))
            }
            if !namespace.path.isEmpty { try requireAbsolute(namespace.path, "namespaces[\(index)].path") }
        }
        return types
    }

    /// Only what a namespace of the container's own confines; the rest of /proc/sys is the whole kernel's.
    private func validateSysctl(_ key: String, _ types: Set<NamespaceType>) throws(SpecError) {
        let parts = Spec.Linux.sysctlComponents(key)
        let isWellFormed = parts.count > 1 && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        guard isWellFormed else { throw SpecError("", .malformed(kind: "sysctl", value: key)) }
        let ofIPC = ["msgmax", "msgmnb", "msgmni", "sem", "shmall", "shmmax", "shmmni", "shm_rmid_forced"]
        switch (parts[0], parts[1]) {
        case ("kernel", _) where parts.count == 2 && ofIPC.contains(parts[1]), ("fs", "mqueue"):
            if !types.contains(.ipc) { throw SpecError("", .needsNamespace(.ipc)) }
        case ("net", _):
            if !types.contains(.network) { throw SpecError("", .needsNamespace(.network)) }
        case ("kernel", "domainname") where parts.count == 2:
            if !types.contains(.uts) { throw SpecError("", .needsNamespace(.uts)) }
        case ("kernel", "hostname") where parts.count == 2:
            throw SpecError("", .conflictsWith("the field hostname"))
        default: throw SpecError("", .sysctlNotNamespaced(key))
        }
    }

    /// The path below /proc/sys that `key` names. Whichever of `.` and `/` comes first parts the components, and
    /// the other one may be within them: `net.ipv4.conf.eth0/100.rp_filter` (sysctl.d(5)).
    public static func sysctlComponents(_ key: String) -> [String] {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        let separator = key.utf8.first { $0 == dot || $0 == slash } ?? dot
        return key.utf8.split(separator: separator, omittingEmptySubsequences: false).map { part in
            // A slash within a component stands for the dot of an interface's name.
            String(decoding: separator == dot ? part.map { $0 == slash ? dot : $0 } : Array(part), as: UTF8.self)
        }
    }
}

extension Spec.Linux.Device {
    func validate() throws(SpecError) {
        try requireAbsolute(path, "path")
        if hasParentReference(path) { throw SpecError("path", .parentReference(path)) }
        if let mode = fileMode, mode & ~0o177777 != 0 {
            throw SpecError("fileMode", .outOfRange(found: "\(mode)", lowest: "0", highest: "\(0o177777)"))
        }
        if type == .fifo { return }
        // Linux has 12 bits of major and 20 of minor number.
        for (field, number, bits) in [("major", major, 12), ("minor", minor, 20)]
        where number < 0 || number >> bits != 0 {
            throw SpecError(field, .outOfRange(found: "\(number)", lowest: "0", highest: "\((1 << bits) - 1)"))
        }
    }
}

extension Spec.Linux.Seccomp {
    func validate() throws(SpecError) {
        if let errno = defaultErrnoRet, errno > 4095 { throw Self.badErrno(errno, "defaultErrnoRet") }
        if listenerPath.isEmpty, !listenerMetadata.isEmpty {
            throw SpecError("listenerMetadata", .onlyWith("listenerPath"))
        }
        if !listenerPath.isEmpty { try requireAbsolute(listenerPath, "listenerPath") }
        // As runc: the agent that answers could not be reached to say so.
        if defaultAction == .notify {
            throw SpecError("defaultAction", .malformed(kind: "default action", value: defaultAction.rawValue))
        }
        for (index, rule) in syscalls.enumerated() {
            if rule.names.isEmpty { throw SpecError("syscalls[\(index)].names", .empty) }
            if let name = rule.names.firstIndex(of: "") { throw SpecError("syscalls[\(index)].names[\(name)]", .empty) }
            if let errno = rule.errnoRet, errno > 4095 { throw Self.badErrno(errno, "syscalls[\(index)].errnoRet") }
            if rule.action == .notify, listenerPath.isEmpty {
                throw SpecError("syscalls[\(index)].action", .onlyWith("listenerPath"))
            }
            for (position, argument) in rule.args.enumerated() where argument.index > 5 {
                throw SpecError(
                    "syscalls[\(index)].args[\(position)].index",
                    .outOfRange(found: "\(argument.index)", lowest: "0", highest: "5"))
            }
        }
    }

    /// MAX_ERRNO of the kernel is 4095.
    private static func badErrno(_ errno: UInt, _ field: String) -> SpecError {
        SpecError(field, .outOfRange(found: "\(errno)", lowest: "0", highest: "4095"))
    }
}
