// SPDX-License-Identifier: Apache-2.0
/* Whether a processor's vector registers outlive what runs beside: other processes, interrupts, the monitor's exits. */
#include "pattern.h"
#include <string.h>
#include <time.h>

static void spin(int worker, void *context) {
    struct timespec begin, now;
    uint8_t wanted[16], found[16];
    memset(wanted, worker + 1, sizeof wanted);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        for (int i = 0; i < 1000; i++) {
            /* Long enough for something to come between. */
            __asm__ volatile("movdqu %1, %%xmm7\n\tmovdqu %1, %%xmm15\n\tmov $2000, %%ecx\n1:\tdec %%ecx\n\tjnz 1b\n\t"
                             "pand %%xmm15, %%xmm7\n\tmovdqu %%xmm7, %0"
                             : "=m"(found) : "m"(wanted) : "xmm7", "xmm15", "ecx", "memory");
            if (memcmp(wanted, found, sizeof found)) fail("worker %d: a register has %02x, not %02x", worker, found[0], wanted[0]);
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < *(int *)context);
}

int stress_registers(int count, int milliseconds) { return workers(count, spin, &milliseconds); }
