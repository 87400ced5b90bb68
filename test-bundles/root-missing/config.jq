# A document without a root.
del(.root)
