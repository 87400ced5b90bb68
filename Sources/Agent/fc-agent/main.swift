import AgentCore
import CAgentStart

agent_start_link()
Boot.run()
