# The limits stand in the container's own cgroup v2; cgroupsPath is the host's.
.linux.namespaces += [{type: "cgroup"}]
| .linux.cgroupsPath = "/fc-runc-test-bundle/limits"
| .linux.resources += {
    memory: {limit: 67108864, reservation: 33554432},
    cpu: {shares: 2048, quota: 400000, period: 200000},
    pids: {limit: 77},
    unified: {"memory.high": "60000000"}
}
