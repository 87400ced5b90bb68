# Ids that /etc/passwd does not name work, with / for HOME.
.process.user = {uid: 12345, gid: 54321} | .process.args = ["sh", "-c", "id -u; id -g; echo $HOME"]
