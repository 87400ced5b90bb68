# tmpfs of a size, mode and owner.
.mounts += [
    {destination: "/small", type: "tmpfs", source: "name", options: ["nosuid", "mode=1750", "size=1m", "uid=1000", "gid=50"]}
]
