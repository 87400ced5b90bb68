# Paths that may be read and not written; one that is not there is no matter.
.linux.readonlyPaths += ["/data", "/alone", "/not/there"]
