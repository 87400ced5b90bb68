# Kernel parameters of the container's own namespaces, though /proc/sys is read-only inside.
.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4096", "kernel/shmmni": "1234", "fs.mqueue.msg_max": "7"}
| .process.args = ["sh", "-c", "cd /proc/sys; cat net/ipv4/ip_forward kernel/msgmax kernel/shmmni fs/mqueue/msg_max"]
