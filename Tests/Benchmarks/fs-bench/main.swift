FileSystemBenchmark.run(CommandLine.arguments)
