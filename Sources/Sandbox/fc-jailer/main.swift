// SPDX-License-Identifier: Apache-2.0
import Jailer

Jailer.main(Array(CommandLine.arguments.dropFirst()))
