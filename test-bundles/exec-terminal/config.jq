# `exec --tty`: a terminal of the caller's size.
.process.args = ["sleep", "600"]
