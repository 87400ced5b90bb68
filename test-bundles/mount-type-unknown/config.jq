# A file system that is not mounted for a document.
.mounts += [{destination: "/x", type: "ext4", source: "/dev/sda"}]
