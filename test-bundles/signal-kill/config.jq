# `kill ID KILL` ends the container's program: 128 + 9.
.process.args = ["sh", "-c", "touch /ready; exec sleep 600"]
