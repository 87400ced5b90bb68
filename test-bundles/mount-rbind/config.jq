# rbind brings along what is mounted below its source, bind does not.
.mounts += [
    {destination: "/all", type: "bind", source: "outer", options: ["rbind", "rw"]},
    {destination: "/one", type: "bind", source: "outer", options: ["bind", "rw"]}
]
