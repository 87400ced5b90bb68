# A program's own exit code is the runtime's.
.process.args = ["sh", "-c", "exit 7"]
