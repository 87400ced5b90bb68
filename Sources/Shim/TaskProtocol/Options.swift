import CProtobuf
import CTaskProtocol

/// containerd.runc.v1.Options: what is written for runc's own shim.
public struct RuncOptions: PackedMessage {
    public var noPivotRoot = false
    public var noNewKeyring = false
    public var shimCgroup = ""
    public var ioUID: UInt32 = 0
    public var ioGID: UInt32 = 0
    public var binaryName = ""
    /// Where the runtime keeps its state.
    public var root = ""
    public var systemdCgroup = false
    public var taskAPIAddress = ""
    public var taskAPIVersion: UInt32 = 0

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__runc_options__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__RuncOptions.self)
        unsafe fields.flag(&noPivotRoot, &packed.pointee.no_pivot_root)
        unsafe fields.flag(&noNewKeyring, &packed.pointee.no_new_keyring)
        unsafe fields.text(&shimCgroup, &packed.pointee.shim_cgroup, "runc_options.shim_cgroup")
        unsafe fields.number(&ioUID, &packed.pointee.io_uid)
        unsafe fields.number(&ioGID, &packed.pointee.io_gid)
        unsafe fields.text(&binaryName, &packed.pointee.binary_name, "runc_options.binary_name")
        unsafe fields.text(&root, &packed.pointee.root, "runc_options.root")
        unsafe fields.flag(&systemdCgroup, &packed.pointee.systemd_cgroup)
        unsafe fields.text(&taskAPIAddress, &packed.pointee.task_api_address, "runc_options.task_api_address")
        unsafe fields.number(&taskAPIVersion, &packed.pointee.task_api_version)
    }
}

/// containerd.runc.v1.CheckpointOptions.
public struct CheckpointOptions: PackedMessage {
    public var exit = false
    public var openTCP = false
    public var externalUnixSockets = false
    public var terminal = false
    public var fileLocks = false
    public var emptyNamespaces: [String] = []
    public var cgroupsMode = ""
    public var imagePath = ""
    public var workPath = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__checkpoint_options__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__CheckpointOptions.self)
        unsafe fields.flag(&exit, &packed.pointee.exit)
        unsafe fields.flag(&openTCP, &packed.pointee.open_tcp)
        unsafe fields.flag(&externalUnixSockets, &packed.pointee.external_unix_sockets)
        unsafe fields.flag(&terminal, &packed.pointee.terminal)
        unsafe fields.flag(&fileLocks, &packed.pointee.file_locks)
        unsafe fields.texts(
            &emptyNamespaces, &packed.pointee.n_empty_namespaces, &packed.pointee.empty_namespaces,
            "checkpoint_options.empty_namespaces")
        unsafe fields.text(&cgroupsMode, &packed.pointee.cgroups_mode, "checkpoint_options.cgroups_mode")
        unsafe fields.text(&imagePath, &packed.pointee.image_path, "checkpoint_options.image_path")
        unsafe fields.text(&workPath, &packed.pointee.work_path, "checkpoint_options.work_path")
    }
}

/// containerd.runc.v1.ProcessDetails.
public struct ProcessDetails: PackedMessage {
    public var execID = ""

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__process_details__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__ProcessDetails.self)
        unsafe fields.text(&execID, &packed.pointee.exec_id, "process_details.exec_id")
    }
}

/// runtimeoptions.v1.Options: what the CRI plugin gives to a shim it does not know.
public struct CRIRuntimeOptions: PackedMessage {
    /// The type of the configuration file.
    public var typeURL = ""
    /// The configuration file.
    public var configPath = ""
    /// Its text, where there is no path.
    public var configBody: [UInt8] = []

    public init() {}

    static var structure: StructureKind { unsafe StructureKind(fcrunc__task__runtime_options__init) }

    mutating func exchange(_ structure: Structure, _ fields: FieldExchange) {
        let packed = unsafe structure.of(Fcrunc__Task__RuntimeOptions.self)
        unsafe fields.text(&typeURL, &packed.pointee.type_url, "runtime_options.type_url")
        unsafe fields.text(&configPath, &packed.pointee.config_path, "runtime_options.config_path")
        unsafe fields.data(&configBody, &packed.pointee.config_body)
    }
}
