# A read-only root refuses writes in the guest; mounts on it may still be written. What the document has made is there:
# mount points, the working directory, devices, also where /dev is the root's own.
.root.readonly = true
| .mounts |= map(select(.destination | startswith("/dev") | not))
| .mounts += [{destination: "/made/here", type: "tmpfs", source: "tmpfs"}]
| .process.cwd = "/made/for/work"
| .linux.devices = [{path: "/nodes/zero", type: "c", major: 1, minor: 5, fileMode: 438, uid: 0, gid: 0}]
