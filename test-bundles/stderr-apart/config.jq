# Standard output and standard error are two streams.
.process.args = ["sh", "-c", "echo to output; echo to errors >&2"]
