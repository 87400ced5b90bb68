# A directory is no program.
.process.args = ["/tmp"]
