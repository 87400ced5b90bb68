# What cannot be executed is told in runc's words, which docker and podman read; the container goes on.
.process.args = ["sleep", "600"]
