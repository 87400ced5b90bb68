# A bind mount of what is not there.
.mounts += [{destination: "/x", source: "absent", options: ["bind"]}]
