// SPDX-License-Identifier: Apache-2.0
import CTaskProtocol
import Protobuf

/// containerd.runc.v1.Options: what is written for runc's own shim.
public struct RuncOptions: PackedTaskMessage {
    /// runc's --no-pivot.
    public var noPivotRoot = false
    /// runc's --no-new-keyring.
    public var noNewKeyring = false
    /// The cgroup for the shim; empty for none.
    public var shimCgroup = ""
    /// The owner of the streams' pipes.
    public var ioUID: UInt32 = 0
    /// The group of the streams' pipes.
    public var ioGID: UInt32 = 0
    /// The runtime's program; empty: the shim's own choice.
    public var binaryName = ""
    /// Where the runtime keeps its state.
    public var root = ""
    /// runc's --systemd-cgroup.
    public var systemdCgroup = false
    /// Where a sandbox serves its tasks; empty: the shim does.
    public var taskAPIAddress = ""
    /// The version of the Task service there.
    public var taskAPIVersion: UInt32 = 0

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__runc_options__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.flag("no_pivot_root", &noPivotRoot)
        fields.flag("no_new_keyring", &noNewKeyring)
        fields.text("shim_cgroup", &shimCgroup)
        fields.number("io_uid", &ioUID)
        fields.number("io_gid", &ioGID)
        fields.text("binary_name", &binaryName)
        fields.text("root", &root)
        fields.flag("systemd_cgroup", &systemdCgroup)
        fields.text("task_api_address", &taskAPIAddress)
        fields.number("task_api_version", &taskAPIVersion)
    }
}

/// containerd.runc.v1.CheckpointOptions.
public struct CheckpointOptions: PackedTaskMessage {
    /// Whether the container ends when it is saved.
    public var exit = false
    /// runc's --tcp-established.
    public var openTCP = false
    /// runc's --ext-unix-sk.
    public var externalUnixSockets = false
    /// runc's --shell-job.
    public var terminal = false
    /// runc's --file-locks.
    public var fileLocks = false
    /// Namespaces of which nothing is saved: runc's --empty-ns.
    public var emptyNamespaces: [String] = []
    /// runc's --manage-cgroups-mode.
    public var cgroupsMode = ""
    /// runc's --image-path.
    public var imagePath = ""
    /// runc's --work-path.
    public var workPath = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__checkpoint_options__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.flag("exit", &exit)
        fields.flag("open_tcp", &openTCP)
        fields.flag("external_unix_sockets", &externalUnixSockets)
        fields.flag("terminal", &terminal)
        fields.flag("file_locks", &fileLocks)
        fields.texts("empty_namespaces", &emptyNamespaces)
        fields.text("cgroups_mode", &cgroupsMode)
        fields.text("image_path", &imagePath)
        fields.text("work_path", &workPath)
    }
}

/// containerd.runc.v1.ProcessDetails.
public struct ProcessDetails: PackedTaskMessage {
    /// The exec id.
    public var execID = ""

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__process_details__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("exec_id", &execID)
    }
}

/// runtimeoptions.v1.Options: what the CRI plugin gives to a shim it does not know.
public struct CRIRuntimeOptions: PackedTaskMessage {
    /// The type of the configuration file.
    public var typeURL = ""
    /// The configuration file.
    public var configPath = ""
    /// Its text, where there is no path.
    public var configBody: [UInt8] = []

    /// Every field absent or at its default.
    public init() {}

    package static let kind = unsafe MessageKind(fcrunc__task__runtime_options__init)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("type_url", &typeURL)
        fields.text("config_path", &configPath)
        fields.data("config_body", &configBody)
    }
}
