# A script whose interpreter is not there.
.process.args = ["/orphan"]
