// SPDX-License-Identifier: Apache-2.0
// What the Swift runtime does before main, as far as PID 1 of an initramfs cannot have it, or pays for it in vain: under
// translation every piece of program that runs for the first time costs, and a machine runs each but once.
#include "CAgentStart.h"

#include <malloc.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *module;

const char *agent_start_module(void) {
    return module;
}

// The runtime looks for /proc/self/exe and gives up without it, and /proc is not mounted yet.
__attribute__((constructor(101))) static void prepare(int count, char **arguments) {
    if (getpid() != 1) {
        if (count == 4 && !strcmp(arguments[1], "-q") && !strcmp(arguments[2], "--")) module = arguments[3];
        return;
    }
    mkdir("/proc", 0555);
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
    // A heap that shrinks and grows again with each buffer is the kernel's work twice.
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

// CommandLine's arguments, which the runtime's own object looks for in /proc/self/maps as soon as it is linked. As PID 1
// the agent has none. Defined here, that object is not linked; should the runtime ever want more of it, the linker says so
// by a symbol defined twice.
char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
    static char *none[] = {NULL};
    *count = 0;
    return none;
}

void _swift_stdlib_overrideUnsafeArgvArgc(char **arguments, int count) {
    (void)arguments;
    (void)count;
}
