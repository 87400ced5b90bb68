# A terminal nobody would hold.
.process.terminal = true | .process.args = ["true"]
