# A masked file reads as empty, a masked folder is empty and read-only; one that is not there is no matter.
.linux.maskedPaths += ["/proc/interrupts", "/secret/file", "/secret/folder", "/not/there"]
