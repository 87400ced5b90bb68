# A read-only root refuses writes in the guest; mounts on it may still be written. Their places are made.
.root.readonly = true
| .mounts += [{destination: "/made/here", type: "tmpfs", source: "tmpfs"}]
