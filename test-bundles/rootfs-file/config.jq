# A root file system that is a file.
.root.path = "config.json"
