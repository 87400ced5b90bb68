import CAgentProtocol
import SandboxPlan

extension KernelParameter {
    func encoded(
        in arena: EncodingArena, _ field: String
    ) throws(AgentProtocolError) -> UnsafeMutablePointer<Fcrunc__Agent__Parameter> {
        var message = unsafe Fcrunc__Agent__Parameter()
        unsafe fcrunc__agent__parameter__init(&message)
        unsafe message.name = try arena.string(name, field)
        unsafe message.value = try arena.string(value, field)
        return unsafe arena.place(message)
    }

    init(_ pointer: UnsafeMutablePointer<Fcrunc__Agent__Parameter>, _ field: String) throws(AgentProtocolError) {
        self.init(
            name: try unsafe Wire.string(pointer.pointee.name, field),
            value: try unsafe Wire.string(pointer.pointee.value, field))
    }
}

extension EncodingArena {
    func parameters(
        _ parameters: [KernelParameter], _ field: String
    ) throws(AgentProtocolError) -> UnsafeMutablePointer<UnsafeMutablePointer<Fcrunc__Agent__Parameter>?> {
        var pointers: [UnsafeMutablePointer<Fcrunc__Agent__Parameter>] = unsafe []
        for parameter in parameters { unsafe pointers.append(try parameter.encoded(in: self, field)) }
        return unsafe list(pointers)
    }
}

extension Wire {
    static func parameters(
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Fcrunc__Agent__Parameter>?>?, _ count: Int,
        _ field: String
    ) throws(AgentProtocolError) -> [KernelParameter] {
        try unsafe list(pointers, count, field, limit: ListLimit.entries) { (pointer) throws(AgentProtocolError) in
            try unsafe KernelParameter(pointer, field)
        }
    }
}

extension ResourcePlan {
    func encoded(in arena: EncodingArena) throws(AgentProtocolError) -> UnsafeMutablePointer<Fcrunc__Agent__Resources> {
        var message = unsafe Fcrunc__Agent__Resources()
        unsafe fcrunc__agent__resources__init(&message)
        unsafe message.n_files = files.count
        unsafe message.files = try arena.parameters(files, "resources.files")
        if let deviceRules {
            unsafe message.has_device_rules = 1
            var rules: [UnsafeMutablePointer<Fcrunc__Agent__DeviceRule>] = unsafe []
            for rule in deviceRules {
                var entry = unsafe Fcrunc__Agent__DeviceRule()
                unsafe fcrunc__agent__device_rule__init(&entry)
                unsafe entry.allows = rule.allows ? 1 : 0
                unsafe entry.kind = rule.kind?.rawValue ?? 0
                unsafe entry.major = rule.major.map { Int64($0) } ?? -1
                unsafe entry.minor = rule.minor.map { Int64($0) } ?? -1
                unsafe entry.can_read = rule.canRead ? 1 : 0
                unsafe entry.can_write = rule.canWrite ? 1 : 0
                unsafe entry.can_make_node = rule.canMakeNode ? 1 : 0
                unsafe rules.append(arena.place(entry))
            }
            unsafe message.n_device_rules = rules.count
            unsafe message.device_rules = arena.list(rules)
        }
        return unsafe arena.place(message)
    }

    init(_ pointer: UnsafeMutablePointer<Fcrunc__Agent__Resources>?) throws(AgentProtocolError) {
        self.init()
        guard let message = unsafe pointer?.pointee else { throw .missing(field: "resources") }
        files = try unsafe Wire.parameters(message.files, message.n_files, "resources.files")
        let rules = try unsafe Wire.list(
            message.device_rules, message.n_device_rules, "resources.device_rules", limit: ListLimit.entries
        ) { (rule) throws(AgentProtocolError) in try unsafe DeviceRule(rule) }
        if unsafe message.has_device_rules != 0 {
            deviceRules = rules
        } else if !rules.isEmpty {
            throw .missing(field: "resources.has_device_rules")
        }
    }
}

extension DeviceRule {
    init(_ pointer: UnsafeMutablePointer<Fcrunc__Agent__DeviceRule>) throws(AgentProtocolError) {
        let message = unsafe pointer.pointee
        self.init(
            allows: unsafe message.allows != 0,
            kind: unsafe message.kind == 0 ? nil : try DevicePlan.Kind(wire: message.kind, "device_rule.kind"),
            major: try Self.number(unsafe message.major, "device_rule.major"),
            minor: try Self.number(unsafe message.minor, "device_rule.minor"),
            canRead: unsafe message.can_read != 0, canWrite: unsafe message.can_write != 0,
            canMakeNode: unsafe message.can_make_node != 0)
    }

    /// nil for -1.
    static func number(_ value: Int64, _ field: String) throws(AgentProtocolError) -> UInt32? {
        if value == -1 { return nil }
        guard let number = UInt32(exactly: value) else { throw .outOfRange(field: field, value: value) }
        return number
    }
}

extension DevicePlan.Kind {
    init(wire value: UInt32, _ field: String) throws(AgentProtocolError) {
        guard let kind = DevicePlan.Kind(rawValue: value) else {
            throw .unknownValue(field: field, value: Int64(value))
        }
        self = kind
    }
}
