# A relative path out of the bundle.
.root.path = "../outside"
