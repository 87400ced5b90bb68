# The end of standard input reaches the program, which can still answer; the last line has no newline.
.process.args = ["sh", "-c", "cat; echo; echo end"]
