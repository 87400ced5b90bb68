# Without noNewPrivileges a set-user-ID program becomes its owner: ping gets its raw socket.
.process.user = {uid: 1000, gid: 1000}
| .process.noNewPrivileges = false
| .process.capabilities.bounding += ["CAP_NET_RAW"]
