import CAgentProtocol
import SandboxPlan

extension MountPlan {
    func encoded(in arena: EncodingArena) throws(AgentProtocolError) -> UnsafeMutablePointer<Fcrunc__Agent__Mount> {
        var message = unsafe Fcrunc__Agent__Mount()
        unsafe fcrunc__agent__mount__init(&message)
        unsafe message.destination = try arena.string(destination, "mount.destination")
        unsafe message.attributes = attributes.rawValue
        unsafe message.recursive_set = recursiveSet.rawValue
        unsafe message.recursive_clear = recursiveClear.rawValue
        unsafe message.propagation = propagation?.rawValue ?? 0
        unsafe message.propagation_is_recursive = propagationIsRecursive ? 1 : 0
        switch source {
        case .fileSystem(let type, let source, let options, let copiesUp):
            var part = unsafe Fcrunc__Agent__FileSystem()
            unsafe fcrunc__agent__file_system__init(&part)
            unsafe part.type = try arena.string(type, "mount.file_system.type")
            unsafe part.source = try arena.string(source, "mount.file_system.source")
            unsafe part.n_options = options.count
            unsafe part.options = try arena.strings(options, "mount.file_system.options")
            unsafe part.copies_up = copiesUp ? 1 : 0
            unsafe message.file_system = arena.place(part)
            unsafe message.source_case = FCRUNC__AGENT__MOUNT__SOURCE_FILE_SYSTEM
        case .cgroup:
            var part = unsafe Fcrunc__Agent__CgroupMount()
            unsafe fcrunc__agent__cgroup_mount__init(&part)
            unsafe message.cgroup = arena.place(part)
            unsafe message.source_case = FCRUNC__AGENT__MOUNT__SOURCE_CGROUP
        case .shared(let path, let isFile, let recursive):
            var part = unsafe Fcrunc__Agent__SharedPath()
            unsafe fcrunc__agent__shared_path__init(&part)
            unsafe part.path = try arena.string(path, "mount.shared.path")
            unsafe part.is_file = isFile ? 1 : 0
            unsafe part.recursive = recursive ? 1 : 0
            unsafe message.shared = arena.place(part)
            unsafe message.source_case = FCRUNC__AGENT__MOUNT__SOURCE_SHARED
        case .guest(let path, let recursive):
            var part = unsafe Fcrunc__Agent__GuestPath()
            unsafe fcrunc__agent__guest_path__init(&part)
            unsafe part.path = try arena.string(path, "mount.guest.path")
            unsafe part.recursive = recursive ? 1 : 0
            unsafe message.guest = arena.place(part)
            unsafe message.source_case = FCRUNC__AGENT__MOUNT__SOURCE_GUEST
        }
        return unsafe arena.place(message)
    }

    init(_ pointer: UnsafeMutablePointer<Fcrunc__Agent__Mount>) throws(AgentProtocolError) {
        let message = unsafe pointer.pointee
        let source: MountSource
        switch unsafe message.source_case {
        case FCRUNC__AGENT__MOUNT__SOURCE_FILE_SYSTEM:
            let part = unsafe message.file_system.pointee
            source = .fileSystem(
                type: try unsafe Wire.string(part.type, "mount.file_system.type"),
                source: try unsafe Wire.string(part.source, "mount.file_system.source"),
                options: try unsafe Wire.strings(
                    part.options, part.n_options, "mount.file_system.options", limit: ListLimit.entries),
                copiesUp: unsafe part.copies_up != 0)
        case FCRUNC__AGENT__MOUNT__SOURCE_CGROUP:
            source = .cgroup
        case FCRUNC__AGENT__MOUNT__SOURCE_SHARED:
            let part = unsafe message.shared.pointee
            source = .shared(
                path: try unsafe Wire.string(part.path, "mount.shared.path"), isFile: unsafe part.is_file != 0,
                recursive: unsafe part.recursive != 0)
        case FCRUNC__AGENT__MOUNT__SOURCE_GUEST:
            let part = unsafe message.guest.pointee
            source = .guest(
                path: try unsafe Wire.string(part.path, "mount.guest.path"), recursive: unsafe part.recursive != 0)
        default:
            throw .missing(field: "mount.source")
        }
        self.init(
            destination: try unsafe Wire.string(message.destination, "mount.destination"), source: source,
            attributes: MountAttributes(rawValue: unsafe message.attributes))
        recursiveSet = unsafe MountAttributes(rawValue: message.recursive_set)
        recursiveClear = unsafe MountAttributes(rawValue: message.recursive_clear)
        propagation = try unsafe MountPropagation(wire: message.propagation, "mount.propagation")
        propagationIsRecursive = unsafe message.propagation_is_recursive != 0
    }
}

extension MountPropagation {
    /// nil for 0.
    init?(wire value: UInt32, _ field: String) throws(AgentProtocolError) {
        if value == 0 { return nil }
        guard let propagation = MountPropagation(rawValue: value) else {
            throw .unknownValue(field: field, value: Int64(value))
        }
        self = propagation
    }
}
