# Mounts are made in the order written: a later one covers an earlier one, or stands on it.
.mounts += [
    {destination: "/a", type: "tmpfs", source: "first"},
    {destination: "/a/b", type: "bind", source: "folder", options: ["bind"]},
    {destination: "/c/d", type: "bind", source: "folder", options: ["bind"]},
    {destination: "/c", type: "tmpfs", source: "second"},
    {destination: "/a/b", type: "tmpfs", source: "third"}
]
