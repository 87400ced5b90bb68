// SPDX-License-Identifier: Apache-2.0
import Protobuf
import SandboxPlan

extension ContainerPlan: PackedMessage {
    package static let blank = ContainerPlan(id: "", process: .blank, root: .blank)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("id", &id)
        fields.required("process", &process)
        fields.required("root", &root)
        fields.text("hostname", &hostname)
        fields.text("domain_name", &domainName)
        fields.messages("mounts", &mounts, limit: ListLimit.mounts)
        fields.messages("namespaces", &namespaces, limit: NamespaceKind.allCases.count)
        fields.messages("devices", &devices)
        fields.texts("masked_paths", &maskedPaths)
        fields.texts("read_only_paths", &readOnlyPaths)
        fields.messages("kernel_parameters", &kernelParameters)
        fields.required("resources", &resources)
    }
}

extension RootPlan: PackedMessage {
    package static let blank = RootPlan(.shared(path: ""), isReadOnly: false)

    package mutating func exchange(_ fields: MessageFields) {
        var (path, disk): (String, DiskMount?) =
            switch source {
            case .shared(let path): (path, nil)
            case .disk(let disk): ("", disk)
            }
        fields.text("shared_path", &path)
        fields.message("disk", &disk)
        if let disk {
            if !path.isEmpty { fields.failAsNotCanonical() }
            source = .disk(disk)
        } else {
            source = .shared(path: path)
        }
        fields.flag("is_read_only", &isReadOnly)
        fields.choice("propagation", &propagation)
    }
}

extension DiskMount: PackedMessage {
    package static let blank = DiskMount(
        serial: "", fileSystem: .ext4, options: [], attributes: [], isReadOnly: false)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("serial", &serial)
        fields.choice("file_system", &fileSystem)
        fields.texts("options", &options)
        fields.choice("attributes", &attributes)
        fields.flag("is_read_only", &isReadOnly)
    }
}

extension NamespacePlan: PackedMessage {
    package static let blank = NamespacePlan(kind: .mount)

    package mutating func exchange(_ fields: MessageFields) {
        fields.choice("kind", &kind)
        fields.text("joins", &joins)
    }
}

extension DevicePlan: PackedMessage {
    package static let blank = DevicePlan(path: "", kind: .character, major: 0, minor: 0, mode: 0, uid: 0, gid: 0)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("path", &path)
        fields.choice("kind", &kind)
        fields.number("major", &major)
        fields.number("minor", &minor)
        fields.number("mode", &mode)
        fields.number("uid", &uid)
        fields.number("gid", &gid)
    }
}
