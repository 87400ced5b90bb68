# The wrong type deep in the document.
.mounts[2].options[1] = {}
