# Four megabytes of input arrive whole.
.process.args = ["sha256sum"]
