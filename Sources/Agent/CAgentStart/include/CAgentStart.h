// SPDX-License-Identifier: Apache-2.0
#pragma once

// The name of the module that the kernel wants, where it has started this program as modprobe, `-q -- NAME`; NULL for any
// other start. Lives as long as the program. Calling it makes the linker keep the constructor that mounts /proc.
const char *agent_start_module(void);
