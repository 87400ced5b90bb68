# The nodes and links every container has (config-linux.md, default devices), usable and as they should be.
.
