#pragma once

// Does nothing: calling it makes the linker keep the constructor that mounts /proc.
void agent_start_link(void);
