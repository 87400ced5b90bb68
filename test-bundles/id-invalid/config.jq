# Ids that would be paths, or nothing, or too long: nothing is made anywhere.
.process.args = ["true"]
