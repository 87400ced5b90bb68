# An argument longer than execve takes.
.process.args = ["echo", ("a" * 131072)]
