# Limits that the document does not name are the caller's, soft and hard, as under runc (one that Go 1.19 built raises the soft
# limit of files). busybox counts blocks of 512 bytes where bash counts 1024.
.process.rlimits = []
| .process.args = ["sh", "-c", "ulimit -Sn; ulimit -Hn; ulimit -Ss; ulimit -Sc; ulimit -Sl"]
