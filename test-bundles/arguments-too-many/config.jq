# What execve takes under no limit is refused before anything starts, in its words and by its path.
.process.args = ["true"] + [range(700000) | "x"]
