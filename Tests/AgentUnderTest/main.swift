import AgentCore
import Linux

HostedAgent.main()
