# `exec --detach` returns at once; the pid it writes is a process that ends as the guest's does.
.process.args = ["sleep", "600"]
