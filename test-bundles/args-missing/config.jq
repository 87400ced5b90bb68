# A process without args.
del(.process.args)
