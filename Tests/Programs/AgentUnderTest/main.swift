// SPDX-License-Identifier: Apache-2.0
import AgentCore
import Linux

HostedAgent.main()
