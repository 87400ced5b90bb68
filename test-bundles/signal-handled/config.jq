# `kill ID` sends TERM, which the program may handle. PID 1 of a namespace gets only signals it handles.
.
