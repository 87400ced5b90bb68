// SPDX-License-Identifier: Apache-2.0
import Protobuf
import SandboxPlan

extension MountPlan: PackedMessage {
    package static let blank = MountPlan(destination: "", source: .cgroup)

    package mutating func exchange(_ fields: MessageFields) {
        fields.text("destination", &destination)
        fields.choice("attributes", &attributes)
        fields.choice("recursive_set", &recursiveSet)
        fields.choice("recursive_clear", &recursiveClear)
        fields.choice("propagation", &propagation)
        fields.flag("propagation_is_recursive", &propagationIsRecursive)
        fields.oneOf("source", &source)
    }
}

extension MountSource: OneOf {
    package static let blanks: [MountSource] = [
        .fileSystem(type: "", source: "", options: [], copiesUp: false), .cgroup,
        .shared(path: "", isFile: false, recursive: false), .guest(path: "", recursive: false),
        .socket(HostSocket(port: 0, token: [], mode: 0, uid: 0, gid: 0)),
    ]

    package var field: StaticString {
        switch self {
        case .fileSystem: "file_system"
        case .cgroup: "cgroup"
        case .shared: "shared"
        case .guest: "guest"
        case .socket: "socket"
        }
    }

    package mutating func exchange(_ fields: MessageFields) {
        switch self {
        case .fileSystem(var type, var source, var options, var copiesUp):
            fields.text("type", &type)
            fields.text("source", &source)
            fields.texts("options", &options)
            fields.flag("copies_up", &copiesUp)
            self = .fileSystem(type: type, source: source, options: options, copiesUp: copiesUp)
        case .cgroup:
            break
        case .shared(var path, var isFile, var recursive):
            fields.text("path", &path)
            fields.flag("is_file", &isFile)
            fields.flag("recursive", &recursive)
            self = .shared(path: path, isFile: isFile, recursive: recursive)
        case .guest(var path, var recursive, var container):
            fields.text("path", &path)
            fields.flag("recursive", &recursive)
            fields.text("container", &container)
            self = .guest(path: path, recursive: recursive, container: container)
        case .socket(var socket):
            socket.exchange(fields)
            self = .socket(socket)
        }
    }
}

extension HostSocket {
    mutating func exchange(_ fields: MessageFields) {
        fields.number("port", &port)
        fields.data("token", &token)
        fields.number("mode", &mode)
        fields.number("uid", &uid)
        fields.number("gid", &gid)
        guard fields.isReading else { return }
        mode &= 0o777
        if token.isEmpty {
            fields.fail("token") { .missing(field: $0) }
        } else if token.count != StreamToken.byteCount {
            fields.fail("token") { .wrongByteCount(field: $0, byteCount: token.count) }
        }
    }
}
