// SPDX-License-Identifier: Apache-2.0
import AgentProtocol
import Planning
import Protobuf
import SandboxPlan

extension ContainerPlan {
    /// Holds the container against what the agent takes in one message, before a machine boots for it.
    func checkFitsMessage() throws(RuntimeError) {
        var container = self
        for index in container.mounts.indices {
            // A socket's token is made when it is listened at.
            guard case .socket(var socket) = container.mounts[index].source, socket.token.isEmpty else { continue }
            socket.token = StreamToken.random().bytes
            container.mounts[index].source = .socket(socket)
        }
        do throws(MessageError) {
            let frame = try RequestMessage(
                id: .max, request: .create(container, streams: StreamTokens(), isOwned: true)
            ).frame()
            // What it refuses is what the agent would: it is the same code.
            _ = try RequestMessage(decoding: Array(frame.dropFirst(4)))
        } catch {
            throw .planning(.field(path: Self.path(of: error), problem: "the guest's agent cannot take it: \(error)"))
        }
    }

    /// Where in the document the field of the message came from.
    private static func path(of error: MessageError) -> String {
        error.field.map { paths[$0] ?? $0 } ?? "the document"
    }

    private static let paths = [
        "process.arguments": "process.args", "process.environment": "process.env",
        "process.working_directory": "process.cwd", "process.additional_groups": "process.user.additionalGids",
        "process.resource_limits": "process.rlimits", "process.seccomp_program": "linux.seccomp",
        "container.mounts": "mounts", "file_system.options": "mounts[].options",
        "disk_mount.options": "root", "container.devices": "linux.devices",
        "container.masked_paths": "linux.maskedPaths", "container.read_only_paths": "linux.readonlyPaths",
        "container.kernel_parameters": "linux.sysctl", "resources.files": "linux.resources",
        "resources.device_rules": "linux.resources.devices",
    ]
}
