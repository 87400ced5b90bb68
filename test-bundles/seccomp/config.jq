# Calls refused with EPERM, with another number, by their arguments, and one that kills.
.linux.seccomp = {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
    syscalls: [
        {names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"},
        {names: ["rmdir", "a_call_of_tomorrow"], action: "SCMP_ACT_ERRNO", errnoRet: 39},
        {names: ["kill"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: 10, op: "SCMP_CMP_EQ"}]},
        {names: ["sethostname"], action: "SCMP_ACT_KILL_PROCESS"}
    ]
}
| .process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])
