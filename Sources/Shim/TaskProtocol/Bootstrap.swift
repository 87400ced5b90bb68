import CProtobuf
import CTaskProtocol

/// What `start` reads from its standard input, from containerd 2.3 on. Older ones send an ``AnyMessage`` of options, which
/// decodes as this as well: it is one only where `instanceID` and `namespace` are those of the command line.
public struct BootstrapParams: PackedMessage {
    public var instanceID = ""
    public var namespace = ""
    /// 0: information; -4 and below: debugging; 4, 8 and above: warnings, errors.
    public var logLevel: Int32 = 0
    public var containerdVersion = ""
    public var containerdTTRPCAddress = ""
    public var containerdGRPCAddress = ""
    public var containerdBinary = ""
    /// Options among them.
    public var extensions: [BootstrapExtension] = []
    /// Where to put the socket; empty: the shim's choice.
    public var socketDir = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__bootstrap_params__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__BootstrapParams.self)
        unsafe fields.text(&instanceID, &packed.pointee.instance_id, "bootstrap_params.instance_id")
        unsafe fields.text(&namespace, &packed.pointee.namespace_, "bootstrap_params.namespace")
        unsafe fields.number(&logLevel, &packed.pointee.log_level)
        unsafe fields.text(
            &containerdVersion, &packed.pointee.containerd_version, "bootstrap_params.containerd_version")
        unsafe fields.text(
            &containerdTTRPCAddress, &packed.pointee.containerd_ttrpc_address,
            "bootstrap_params.containerd_ttrpc_address")
        unsafe fields.text(
            &containerdGRPCAddress, &packed.pointee.containerd_grpc_address, "bootstrap_params.containerd_grpc_address")
        unsafe fields.text(&containerdBinary, &packed.pointee.containerd_binary, "bootstrap_params.containerd_binary")
        unsafe fields.messages(
            &extensions, &packed.pointee.n_extensions, &packed.pointee.extensions, "bootstrap_params.extensions")
        unsafe fields.text(&socketDir, &packed.pointee.socket_dir, "bootstrap_params.socket_dir")
    }
}

/// Anything else, by its type.
public struct BootstrapExtension: PackedMessage {
    public var value: AnyMessage?

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__extension__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__Extension.self)
        unsafe fields.message(&value, &packed.pointee.value)
    }
}

/// What `start` may print, from containerd 2.3 on.
public struct BootstrapResult: PackedMessage {
    /// Of the Task service: 2 or 3.
    public var version: Int32 = 0
    public var address = ""
    /// `ttrpc`.
    public var `protocol` = ""
    public var metadata: [String: String] = [:]

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__bootstrap_result__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__BootstrapResult.self)
        unsafe fields.number(&version, &packed.pointee.version)
        unsafe fields.text(&address, &packed.pointee.address, "bootstrap_result.address")
        unsafe fields.text(&`protocol`, &packed.pointee.protocol, "bootstrap_result.protocol")
        unsafe fields.map(&metadata, &packed.pointee.n_metadata, &packed.pointee.metadata, "bootstrap_result.metadata")
    }
}
