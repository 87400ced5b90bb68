# POSIX message queues of the container's own.
.
