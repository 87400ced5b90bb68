# A NUL would end the argument early.
.process.args = ["echo", "one\u0000two"]
