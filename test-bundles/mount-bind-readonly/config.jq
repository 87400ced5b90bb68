# A folder of the host that may only be read, on a root that may be written.
.mounts += [{destination: "/data", type: "bind", source: "data", options: ["rbind", "ro"]}]
