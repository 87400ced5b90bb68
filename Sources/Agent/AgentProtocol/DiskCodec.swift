import CAgentProtocol
import SandboxPlan

extension DiskMount {
    func encoded(in arena: EncodingArena) throws(AgentProtocolError) -> UnsafeMutablePointer<Fcrunc__Agent__DiskMount> {
        var message = unsafe Fcrunc__Agent__DiskMount()
        unsafe fcrunc__agent__disk_mount__init(&message)
        unsafe message.serial = try arena.string(serial, "root.disk.serial")
        unsafe message.file_system = fileSystem.rawValue
        unsafe message.n_options = options.count
        unsafe message.options = try arena.strings(options, "root.disk.options")
        unsafe message.attributes = attributes.rawValue
        unsafe message.is_read_only = isReadOnly ? 1 : 0
        return unsafe arena.place(message)
    }

    init(_ pointer: UnsafeMutablePointer<Fcrunc__Agent__DiskMount>) throws(AgentProtocolError) {
        let message = unsafe pointer.pointee
        guard let fileSystem = unsafe DiskFileSystem(rawValue: message.file_system) else {
            throw .unknownValue(field: "root.disk.file_system", value: Int64(unsafe message.file_system))
        }
        self.init(
            serial: try unsafe Wire.string(message.serial, "root.disk.serial"), fileSystem: fileSystem,
            options: try unsafe Wire.strings(
                message.options, message.n_options, "root.disk.options", limit: ListLimit.entries),
            attributes: MountAttributes(rawValue: unsafe message.attributes),
            isReadOnly: unsafe message.is_read_only != 0)
    }
}
