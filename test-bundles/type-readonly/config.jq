# A number where true or false belongs.
.root.readonly = 1
