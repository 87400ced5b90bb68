# noexec, nosuid, nodev and noatime hold on a bind and on a tmpfs.
.mounts += [
    {destination: "/noexec", type: "bind", source: "programs", options: ["bind", "noexec"]},
    {destination: "/nodev", type: "tmpfs", source: "tmpfs", options: ["nodev"]},
    {destination: "/nosuid", type: "bind", source: "programs", options: ["bind", "nosuid", "noatime"]},
    {destination: "/plain", type: "tmpfs", source: "tmpfs", options: ["mode=700"]}
]
| .linux.resources.devices = []
