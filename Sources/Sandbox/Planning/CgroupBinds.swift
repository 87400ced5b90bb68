// SPDX-License-Identifier: Apache-2.0
import SandboxPlan

/// What of the host's cgroups a document binds to /sys/fs/cgroup, for systemd as a rule: the guest's take their place.
/// The host's say nothing of what runs in a guest, and who writes there would undo the host's limits.
struct CgroupBinds {
    private static let place = "/sys/fs/cgroup"
    /// One that may be written to, of version 1.
    private var hierarchyIsWritable = false

    /// The mount in place of a bind to /sys/fs/cgroup; nil for a hierarchy of version 1 below, of which a guest has none.
    mutating func take(_ bind: MountPlan) -> MountPlan? {
        guard bind.isAtCgroups else {
            if !bind.attributes.contains(.readOnly) { hierarchyIsWritable = true }
            return nil
        }
        var plan = bind
        plan.source = .cgroup
        return plan
    }

    /// Who may write to a hierarchy of version 1 may write to the guest's, which is version 2.
    func finish(_ mounts: inout [MountPlan]) {
        guard hierarchyIsWritable else { return }
        if let index = mounts.lastIndex(where: \.isAtCgroups) {
            if mounts[index].source == .cgroup { mounts[index].attributes.remove(.readOnly) }
        } else {
            mounts.append(
                MountPlan(
                    destination: Self.place, source: .cgroup, attributes: [.noSetUID, .noDevices, .noExecute]))
        }
    }
}

extension MountPlan {
    /// Whether it goes to /sys/fs/cgroup or below.
    var isCgroupBind: Bool {
        guard case .shared = source else { return false }
        return destinationNames.prefix(3).elementsEqual(["sys", "fs", "cgroup"])
    }

    fileprivate var isAtCgroups: Bool { destinationNames == ["sys", "fs", "cgroup"] }

    private var destinationNames: [String] {
        destination.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: Array($0), as: UTF8.self) }
            .filter { $0 != "." }
    }
}
