# A program's path that leads nowhere.
.process.args = ["/bin/nothing"]
