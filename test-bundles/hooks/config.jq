# startContainer hooks run in the container as its program will, before it, with the state on standard input.
.process.user = {uid: 1000, gid: 1000} | .process.env += ["HERE=main"]
    | .process.args = ["sh", "-c", "cat /tmp/told; grep -c '\"status\": *\"created\"' /tmp/state"]
    | .hooks = {
        prestart: [{path: "/bin/true"}],
        startContainer: [
            {path: "/bin/sh", args: ["sh", "-c", "cat >/tmp/state; echo $A $(id -u) $(pwd) ${HERE:-none} $(hostname) >/tmp/told; echo noise"], env: ["A=b", "PATH=/bin"]},
            {path: "/bin/sh", args: ["sh", "-c", "echo second ${HERE:-none} >>/tmp/told"]}]}
