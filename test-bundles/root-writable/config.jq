# What a container writes to its root is on the host, with owner, mode, links and size.
.
