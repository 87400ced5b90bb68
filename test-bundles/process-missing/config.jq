# A document without a process.
del(.process)
