// SPDX-License-Identifier: Apache-2.0
FileSystemBenchmark.run(CommandLine.arguments)
