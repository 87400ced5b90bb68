// SPDX-License-Identifier: Apache-2.0
import AgentCore
import CAgentStart

// The string lives as long as the program.
unsafe Boot.run(module: agent_start_module().map { unsafe String(cString: $0) })
