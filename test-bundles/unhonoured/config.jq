# Whatever is not honoured is named, all at once.
.process.apparmorProfile = "profile" | .linux.intelRdt = {} | .linux.mountLabel = "label"
