// SPDX-License-Identifier: Apache-2.0
/// Values of fields that this runtime supports, and which of them it does. Which fields it does not support at all is said
/// where a type lists its fields, by ``FieldCoder/unsupported(_:_:usual:evenIfEmpty:)``.
enum Supported {
    /// Filesystems a mount may be of, beside bind mounts.
    static let mountTypes: Set<String> = ["proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2", "overlay"]

    /// Known mount options that are refused.
    static let refusedMountOptions: Set<String> = ["idmap", "ridmap", "remount"]

    static let namespaces: Set<Spec.Linux.NamespaceType> = [.pid, .network, .mount, .ipc, .uts, .cgroup]

    /// Namespaces that may be named by a path. Whether it is that of a container that can be joined shows later.
    static let joinableNamespaces: Set<Spec.Linux.NamespaceType> = [.network, .ipc, .uts, .pid]

    static let refusedSeccompActions: Set<Spec.Linux.Seccomp.Action> = [.notify]
    static let refusedSeccompFlags: Set<Spec.Linux.Seccomp.Flag> = [.waitKillable]
    /// libseccomp has them from 2.6 on.
    static let refusedSeccompArchitectures: Set<Spec.Linux.Seccomp.Architecture> = [
        .loongarch64, .m68k, .superH, .superHBigEndian,
    ]
    static let hooks = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
}

extension Spec {
    /// The paths of the fields by which this document asks for something that the runtime does not support, in the
    /// document's order, then those of values; create refuses them by name. `linux.intelRdt`,
    /// `mounts[4].type "zonefs"`.
    public func unsupportedFields() -> [String] {
        var found = unsupported(isSupported: true)
        for (index, mount) in mounts.enumerated() {
            if !mount.parsedOptions.isBind, !Supported.mountTypes.contains(mount.type) {
                found.append("mounts[\(index)].type \(quoted(mount.type))")
            }
            for option in mount.options where Supported.refusedMountOptions.contains(option) {
                found.append("mounts[\(index)].options \(quoted(option))")
            }
        }
        for (index, namespace) in (linux?.namespaces ?? []).enumerated() {
            if !Supported.namespaces.contains(namespace.type) {
                found.append("linux.namespaces[\(index)].type \(quoted(namespace.type.rawValue))")
            } else if !namespace.path.isEmpty, !Supported.joinableNamespaces.contains(namespace.type) {
                found.append("linux.namespaces[\(index)].path")
            }
        }
        for (index, rule) in (linux?.seccomp?.syscalls ?? []).enumerated()
        where Supported.refusedSeccompActions.contains(rule.action) {
            found.append("linux.seccomp.syscalls[\(index)].action \(quoted(rule.action.rawValue))")
        }
        for flag in linux?.seccomp?.flags ?? [] where Supported.refusedSeccompFlags.contains(flag) {
            found.append("linux.seccomp.flags \(quoted(flag.rawValue))")
        }
        for architecture in linux?.seccomp?.architectures ?? []
        where Supported.refusedSeccompArchitectures.contains(architecture) {
            found.append("linux.seccomp.architectures \(quoted(architecture.rawValue))")
        }
        return found
    }
}

extension Spec.Process {
    /// As the document's ``Spec/unsupportedFields()``, for a process given to exec; paths start at `process`.
    public func unsupportedFields() -> [String] {
        var spec = Spec()
        spec.process = self
        return spec.unsupportedFields()
    }
}
