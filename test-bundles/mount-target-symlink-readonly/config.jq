# Mount targets that are symlinks out of the root file system, which is read-only: nothing is made or mounted outside.
.mounts += [
    {destination: "/absolute/made", type: "tmpfs", source: "tmpfs"},
    {destination: "/relative/made", type: "tmpfs", source: "tmpfs"},
    {destination: "/file/other", type: "bind", source: "one", options: ["bind"]}
]
| .root.readonly = true
