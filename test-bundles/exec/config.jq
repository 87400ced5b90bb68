# `exec` with flags: the container's process with another program, environment, directory, user; a code of its own.
.process.args = ["sleep", "600"]
| .process.cwd = "/tmp"
| .process.env += ["FROM=document", "KEPT=yes"]
