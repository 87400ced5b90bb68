# A soft limit above the hard one.
.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 2, hard: 1}]
