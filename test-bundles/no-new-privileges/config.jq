# With noNewPrivileges a set-user-ID program gains nothing: ping gets no raw socket.
.process.user = {uid: 1000, gid: 1000}
| .process.noNewPrivileges = true
| .process.capabilities.bounding += ["CAP_NET_RAW"]
