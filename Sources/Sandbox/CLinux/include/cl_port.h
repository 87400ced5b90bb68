// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

// One byte to an x86 I/O port; ioperm(2) must allow it. Other machines have no such ports.
static inline void cl_port_write_u8(uint16_t port, uint8_t value) {
#if defined(__x86_64__)
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
#else
    (void)port;
    (void)value;
#endif
}
