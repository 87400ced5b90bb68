# A bind mount whose mounts would appear on the host.
.mounts += [{destination: "/x", type: "bind", source: "folder", options: ["rbind", "rshared"]}]
