# The working directory, which is made where it is missing.
.process.cwd = "/made/for/it" | .process.args = ["pwd"]
