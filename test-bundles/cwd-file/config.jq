# A working directory that is a file.
.process.cwd = "/etc/passwd" | .process.args = ["true"]
