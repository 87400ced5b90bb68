// SPDX-License-Identifier: Apache-2.0
FileSystemProgram.run(CommandLine.arguments)
