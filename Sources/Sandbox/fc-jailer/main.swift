import Jailer

Jailer.main(Array(CommandLine.arguments.dropFirst()))
