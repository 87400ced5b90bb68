# Control-C typed at the terminal is the program's SIGINT.
.process.terminal = true
