# With a terminal all three streams are one, of the caller's size, and the program leads its session.
.process.terminal = true
