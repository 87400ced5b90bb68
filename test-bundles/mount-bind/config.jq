# A folder of the host, by an absolute path and by one relative to the bundle; read and written.
.mounts += [
    {destination: "/absolute", type: "bind", source: ($bundle + "/one"), options: ["bind"]},
    {destination: "/relative", source: "two", options: ["bind", "rw"]}
]
