// SPDX-License-Identifier: Apache-2.0
import Linux

/// Names of the host's users, from /etc/passwd: the C library's own look-up does not work in a static program.
struct UserNames {
    private var names: [UInt32: String] = [:]

    init(passwd: String) {
        for line in passwd.split(at: "\n") {
            let fields = line.split(at: ":", maxSplits: 3, omittingEmptySubsequences: false)
            guard fields.count == 4, let uid = UInt32(fields[2]), names[uid] == nil else { continue }
            names[uid] = String(fields[0])
        }
    }

    static func ofHost() -> UserNames {
        let bytes = try? FileDescriptor.open("/etc/passwd", .nonBlocking).readAll(limit: 4 << 20)
        return UserNames(passwd: String(decoding: bytes ?? [], as: UTF8.self))
    }

    /// The number itself where it has no name.
    subscript(uid: UInt32) -> String { names[uid] ?? "\(uid)" }
}
