// SPDX-License-Identifier: Apache-2.0
import Protobuf

/// A message that is in a frame of its own.
protocol AgentMessage: RootMessage {}

extension AgentMessage {
    package static var bounds: MessageBounds {
        MessageBounds(
            byteCount: Frame.requestLimit, memoryByteCount: 2 * Frame.requestLimit, entryCount: ListLimit.entries,
            isCanonical: true)
    }
}

/// How long the lists of a message may be. Most are bounded by the frame and by the memory for a message anyhow.
enum ListLimit {
    /// As many as a mount namespace holds, fs.mount-max.
    static let mounts = 100_000
    /// As many as a process has groups, NGROUPS_MAX.
    static let entries = 65536
}
