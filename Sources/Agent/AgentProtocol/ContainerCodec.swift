import CAgentProtocol
import SandboxPlan

extension ContainerPlan {
    func encoded(in arena: EncodingArena) throws(AgentProtocolError) -> UnsafeMutablePointer<Fcrunc__Agent__Container> {
        var message = unsafe Fcrunc__Agent__Container()
        unsafe fcrunc__agent__container__init(&message)
        unsafe message.id = try arena.string(id, "container.id")
        unsafe message.process = try process.encoded(in: arena)
        unsafe message.root = try root.encoded(in: arena)
        unsafe message.hostname = try arena.string(hostname ?? "", "container.hostname")
        unsafe message.domain_name = try arena.string(domainName ?? "", "container.domain_name")
        var mountMessages: [UnsafeMutablePointer<Fcrunc__Agent__Mount>] = unsafe []
        for mount in mounts { unsafe mountMessages.append(try mount.encoded(in: arena)) }
        unsafe message.n_mounts = mountMessages.count
        unsafe message.mounts = arena.list(mountMessages)
        var namespaceMessages: [UnsafeMutablePointer<Fcrunc__Agent__Namespace>] = unsafe []
        for namespace in namespaces { unsafe namespaceMessages.append(try namespace.encoded(in: arena)) }
        unsafe message.n_namespaces = namespaceMessages.count
        unsafe message.namespaces = arena.list(namespaceMessages)
        var deviceMessages: [UnsafeMutablePointer<Fcrunc__Agent__Device>] = unsafe []
        for device in devices { unsafe deviceMessages.append(try device.encoded(in: arena)) }
        unsafe message.n_devices = deviceMessages.count
        unsafe message.devices = arena.list(deviceMessages)
        unsafe message.n_masked_paths = maskedPaths.count
        unsafe message.masked_paths = try arena.strings(maskedPaths, "container.masked_paths")
        unsafe message.n_read_only_paths = readOnlyPaths.count
        unsafe message.read_only_paths = try arena.strings(readOnlyPaths, "container.read_only_paths")
        unsafe message.n_kernel_parameters = kernelParameters.count
        unsafe message.kernel_parameters = try arena.parameters(kernelParameters, "container.kernel_parameters")
        unsafe message.resources = try resources.encoded(in: arena)
        return unsafe arena.place(message)
    }

    init(_ pointer: UnsafeMutablePointer<Fcrunc__Agent__Container>?) throws(AgentProtocolError) {
        guard let message = unsafe pointer?.pointee else { throw .missing(field: "container") }
        self.init(
            id: try unsafe Wire.string(message.id, "container.id"),
            process: try unsafe ProcessPlan(message.process, "container.process"),
            root: try unsafe RootPlan(message.root))
        hostname = try unsafe Wire.optional(message.hostname, "container.hostname")
        domainName = try unsafe Wire.optional(message.domain_name, "container.domain_name")
        mounts = try unsafe Wire.list(
            message.mounts, message.n_mounts, "container.mounts", limit: ListLimit.mounts
        ) { (mount) throws(AgentProtocolError) in try unsafe MountPlan(mount) }
        namespaces = try unsafe Wire.list(
            message.namespaces, message.n_namespaces, "container.namespaces", limit: NamespaceKind.allCases.count
        ) { (namespace) throws(AgentProtocolError) in try unsafe NamespacePlan(namespace) }
        devices = try unsafe Wire.list(
            message.devices, message.n_devices, "container.devices", limit: ListLimit.entries
        ) { (device) throws(AgentProtocolError) in try unsafe DevicePlan(device) }
        maskedPaths = try unsafe Wire.strings(
            message.masked_paths, message.n_masked_paths, "container.masked_paths", limit: ListLimit.entries)
        readOnlyPaths = try unsafe Wire.strings(
            message.read_only_paths, message.n_read_only_paths, "container.read_only_paths", limit: ListLimit.entries)
        kernelParameters = try unsafe Wire.parameters(
            message.kernel_parameters, message.n_kernel_parameters, "container.kernel_parameters")
        resources = try unsafe ResourcePlan(message.resources)
    }
}

extension Wire {
    /// nil for the empty string.
    static func optional(_ pointer: UnsafeMutablePointer<CChar>?, _ field: String) throws(AgentProtocolError) -> String?
    {
        let string = try unsafe string(pointer, field)
        return string.isEmpty ? nil : string
    }
}

extension RootPlan {
    func encoded(in arena: EncodingArena) throws(AgentProtocolError) -> UnsafeMutablePointer<Fcrunc__Agent__Root> {
        var message = unsafe Fcrunc__Agent__Root()
        unsafe fcrunc__agent__root__init(&message)
        switch source {
        case .shared(let path): unsafe message.shared_path = try arena.string(path, "root.shared_path")
        case .disk(let disk): unsafe message.disk = try disk.encoded(in: arena)
        }
        unsafe message.is_read_only = isReadOnly ? 1 : 0
        unsafe message.propagation = propagation?.rawValue ?? 0
        return unsafe arena.place(message)
    }

    init(_ pointer: UnsafeMutablePointer<Fcrunc__Agent__Root>?) throws(AgentProtocolError) {
        guard let message = unsafe pointer?.pointee else { throw .missing(field: "container.root") }
        let path = try unsafe Wire.string(message.shared_path, "root.shared_path")
        let source: RootSource
        if let disk = unsafe message.disk {
            guard path.isEmpty else { throw .notCanonical }
            source = .disk(try unsafe DiskMount(disk))
        } else {
            source = .shared(path: path)
        }
        self.init(source, isReadOnly: unsafe message.is_read_only != 0)
        propagation = try unsafe MountPropagation(wire: message.propagation, "root.propagation")
    }
}

extension NamespacePlan {
    func encoded(in arena: EncodingArena) throws(AgentProtocolError) -> UnsafeMutablePointer<Fcrunc__Agent__Namespace> {
        var message = unsafe Fcrunc__Agent__Namespace()
        unsafe fcrunc__agent__namespace__init(&message)
        unsafe message.kind = kind.rawValue
        unsafe message.joins = try arena.string(joins ?? "", "namespace.joins")
        return unsafe arena.place(message)
    }

    init(_ pointer: UnsafeMutablePointer<Fcrunc__Agent__Namespace>) throws(AgentProtocolError) {
        guard let kind = unsafe NamespaceKind(rawValue: pointer.pointee.kind) else {
            throw .unknownValue(field: "namespace.kind", value: Int64(unsafe pointer.pointee.kind))
        }
        self.init(kind: kind, joins: try unsafe Wire.optional(pointer.pointee.joins, "namespace.joins"))
    }
}

extension DevicePlan {
    func encoded(in arena: EncodingArena) throws(AgentProtocolError) -> UnsafeMutablePointer<Fcrunc__Agent__Device> {
        var message = unsafe Fcrunc__Agent__Device()
        unsafe fcrunc__agent__device__init(&message)
        unsafe message.path = try arena.string(path, "device.path")
        unsafe message.kind = kind.rawValue
        unsafe message.major = major
        unsafe message.minor = minor
        unsafe message.mode = mode
        unsafe message.uid = uid
        unsafe message.gid = gid
        return unsafe arena.place(message)
    }

    init(_ pointer: UnsafeMutablePointer<Fcrunc__Agent__Device>) throws(AgentProtocolError) {
        let message = unsafe pointer.pointee
        self.init(
            path: try unsafe Wire.string(message.path, "device.path"),
            kind: try unsafe Kind(wire: message.kind, "device.kind"), major: unsafe message.major,
            minor: unsafe message.minor, mode: unsafe message.mode, uid: unsafe message.uid, gid: unsafe message.gid)
    }
}
