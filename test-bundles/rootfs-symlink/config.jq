# A root file system that is a symlink.
.root.path = "link"
