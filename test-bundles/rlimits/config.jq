# Limits below and above what a process starts with; the rest stays.
.process.rlimits = [
    {type: "RLIMIT_NOFILE", soft: 400000, hard: 500000},
    {type: "RLIMIT_CORE", soft: 0, hard: 0},
    {type: "RLIMIT_STACK", soft: 4194304, hard: 8388608},
    {type: "RLIMIT_CPU", soft: 1000, hard: 2000}
]
| .process.args = ["awk", "/open files|core file|stack|cpu time/ { print $2, $3, $4, $5, $6 }", "/proc/self/limits"]
