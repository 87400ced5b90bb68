# An id of every kind of character that is allowed.
.process.args = ["true"]
