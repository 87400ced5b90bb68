# Rules in their order: what was denied is allowed again, for what it says only.
.linux.devices = [
    {path: "/dev/readable", type: "c", major: 1, minor: 11, fileMode: 438},
    {path: "/dev/other", type: "c", major: 1, minor: 4, fileMode: 438}
]
| .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 11, access: "r"}]
