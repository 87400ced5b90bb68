# The container's host name; the host's stays.
.hostname = "a-name.of-its.own" | .process.args = ["hostname"]
