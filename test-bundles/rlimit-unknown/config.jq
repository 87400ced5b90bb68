# A limit of no kernel.
.process.rlimits = [{type: "RLIMIT_LUCK", soft: 1, hard: 1}]
