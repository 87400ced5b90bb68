# A working directory that is not absolute.
.process.cwd = "tmp"
