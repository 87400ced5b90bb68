FileSystemProgram.run(CommandLine.arguments)
