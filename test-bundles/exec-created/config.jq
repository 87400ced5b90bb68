# A created container takes `exec` as a running one does.
.process.args = ["true"]
