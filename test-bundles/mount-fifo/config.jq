# A bind mount of a fifo, whose other end would be out of reach.
.mounts += [{destination: "/x", type: "bind", source: "pipe", options: ["bind"]}]
