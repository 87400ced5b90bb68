// SPDX-License-Identifier: Apache-2.0
/// The capabilities this runtime knows, in the kernel's order (capability.h): the index is the number.
public enum CapabilityNames {
    /// Every capability of Linux 6.1 by its name, in the order of its number.
    public static let all = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
        "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
        "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
        "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
        "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
        "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ]
}

extension Spec.Process.Capabilities {
    /// The names no kernel this runtime knows of has, each once, sorted. As under runc they are ignored with a
    /// warning: a newer engine may write the name of a newer capability.
    public var unknownNames: [String] {
        let known = Set(CapabilityNames.all)
        return Set(bounding + effective + inheritable + permitted + ambient).subtracting(known).sorted()
    }
}

extension Spec.Process.Capabilities: JSONObject {
    mutating func code(_ fields: inout FieldCoder) {
        fields.field("bounding", &bounding)
        fields.field("effective", &effective)
        fields.field("inheritable", &inheritable)
        fields.field("permitted", &permitted)
        fields.field("ambient", &ambient)
    }
}
