# A tmpfs looks like the directory it covers; where there was none, everybody may write to it.
.mounts += [
    {destination: "/there", type: "tmpfs", source: "tmpfs"},
    {destination: "/made", type: "tmpfs", source: "tmpfs"},
    {destination: "/told", type: "tmpfs", source: "tmpfs", options: ["mode=700"]}
]
