# /proc is the container's own: its processes and no others.
.
