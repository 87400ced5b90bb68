# What events refuses, it refuses in runc's words.
.process.args = ["true"]
