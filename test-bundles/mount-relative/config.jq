# A mount target that is not absolute.
.mounts += [{destination: "x", type: "tmpfs", source: "tmpfs"}]
