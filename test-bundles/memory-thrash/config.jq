# Who takes memory bit by bit, down to its own program's pages, is killed as soon as on a host, and not after minutes.
.linux.resources.memory = {limit: 16777216, swap: 16777216}
| .process.args = ["awk", "BEGIN { while (1) a[n++] = n \"xxxxxxxxxxxxxxxxxxxxxxx\" }"]
