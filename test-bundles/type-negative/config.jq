# A number out of its range.
.process.user.gid = -1
