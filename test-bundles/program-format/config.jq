# A file that no kernel runs.
.process.args = ["/garbage"]
