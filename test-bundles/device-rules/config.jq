# Rules in their order: what was denied is allowed again, for what it says only.
.linux.devices = [
    {path: "/dev/readable", type: "c", major: 10, minor: 229, fileMode: 438},
    {path: "/dev/other", type: "c", major: 10, minor: 237, fileMode: 438}
]
| .linux.resources.devices += [{allow: true, type: "c", major: 10, minor: 229, access: "r"}]
