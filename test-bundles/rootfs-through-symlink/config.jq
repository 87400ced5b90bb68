# A symlink on the way to the root file system.
.root.path = "link/root"
