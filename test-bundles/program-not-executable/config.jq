# A file without permission to execute.
.process.args = ["/etc/passwd"]
