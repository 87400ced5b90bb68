# A path longer than the kernel takes.
.mounts[0].destination = ("/" + "p" * 4095)
