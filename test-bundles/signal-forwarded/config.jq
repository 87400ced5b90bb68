# A signal to the foreground `run` goes on to the program.
.
