# More arguments than 16 bits count, and little less than Linux takes with the usual stack of 8 MiB.
.process.args = ["sh", "-c", "echo $#", "sh"] + [range(150000) | "x"]
