# `exec --process FILE`: all of the process is the file's.
.process.args = ["sleep", "600"] | .process.env += ["FROM=document"]
