# Nodes of the document: kind, number, mode and owner; a rule lets one be used and another not.
.linux.devices = [
    {path: "/dev/zero-two", type: "c", major: 1, minor: 5, fileMode: 432, uid: 1000, gid: 50},
    {path: "/dev/below/full", type: "c", major: 1, minor: 7},
    {path: "/dev/disk", type: "b", major: 7, minor: 77, fileMode: 384},
    {path: "/dev/refused", type: "c", major: 10, minor: 229, fileMode: 438},
    {path: "/pipe", type: "p", fileMode: 384}
]
| .process.capabilities.bounding += ["CAP_SYS_ADMIN"]
