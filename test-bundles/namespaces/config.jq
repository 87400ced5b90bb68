# The container's own processes, IPC, network, names and mounts.
.
