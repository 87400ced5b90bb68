# A host name longer than the kernel takes.
.hostname = ("n" * 65)
