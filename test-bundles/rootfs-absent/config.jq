# A root file system that is not there.
.root.path = "absent"
