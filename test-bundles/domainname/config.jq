# The NIS domain name.
.domainname = "domain.test" | .process.args = ["cat", "/proc/sys/kernel/domainname"]
