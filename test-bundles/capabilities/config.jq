# All five sets, each its own. A name that no kernel has is passed over, as runc does.
.process.capabilities = {
    bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW", "CAP_SYS_ADMIN"],
    effective: ["CAP_CHOWN", "CAP_KILL"],
    permitted: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
    inheritable: ["CAP_KILL", "CAP_NET_RAW"],
    ambient: ["CAP_NET_RAW", "CAP_OF_TOMORROW"]
}
| .process.user = {uid: 1000, gid: 1000}
| .process.args = ["grep", "Cap", "/proc/self/status"]
