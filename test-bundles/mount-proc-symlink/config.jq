# proc is mounted on no symlink: what it leads to could be anything.
.process.args = ["true"]
