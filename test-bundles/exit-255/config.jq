# The largest exit code.
.process.args = ["sh", "-c", "exit 255"]
