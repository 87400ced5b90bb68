# A single file over another and over nothing: only it is seen, not its folder.
.mounts += [
    {destination: "/etc/passwd", type: "bind", source: "folder/users", options: ["bind", "ro"]},
    {destination: "/new/place/file", type: "bind", source: "folder/file", options: ["bind", "rw"]}
]
