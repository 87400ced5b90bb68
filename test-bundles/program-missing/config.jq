# A program that is in no directory of PATH.
.process.args = ["nothing"]
