# The environment is the document's, in its order, and HOME from /etc/passwd; the last of a name counts.
.process.args = ["/bin/env"]
| .process.env = ["PATH=/bin", "TWICE=first", "TWICE=second", "EMPTY=", "WITH=an = sign"]
