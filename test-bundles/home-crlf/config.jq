# An /etc/passwd with CR LF at the ends of its lines: HOME is found, as runc finds it.
.process.args = ["sh", "-c", "echo $HOME"]
| .process.user = {uid: 1000, gid: 1000}
| .process.env = ["PATH=/bin"]
