# A program that succeeds: 0.
.process.args = ["true"]
