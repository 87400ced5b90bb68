# A NUL in the environment.
.process.env += ["NAME=a\u0000b"]
