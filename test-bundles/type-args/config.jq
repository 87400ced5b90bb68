# A string where a list belongs.
.process.args = "true"
