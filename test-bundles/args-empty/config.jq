# A process with no argument.
.process.args = []
