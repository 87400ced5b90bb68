# events --stats tells what the container uses in its guest, once, in runc's format.
.process.args = ["sh", "-c", "while :; do sleep 0.1; done"]
| .linux.resources += {
    memory: {limit: 67108864},
    cpu: {quota: 50000, period: 100000},
    pids: {limit: 77}
}
