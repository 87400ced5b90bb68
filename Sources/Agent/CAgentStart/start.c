// The Swift runtime looks for /proc/self/exe before main and gives up without it. As PID 1 of an
// initramfs nobody has mounted /proc yet, so this runs before the runtime's own constructors.
#include "CAgentStart.h"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

__attribute__((constructor(101))) static void mount_proc(void) {
    if (getpid() != 1) return;
    mkdir("/proc", 0555);
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0);
}

void agent_start_link(void) {}
