// SPDX-License-Identifier: Apache-2.0
// The peer of exits-bench: the same guests, served by the least C there can be.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct exit_loop;

// A machine of one vCPU in real mode, whose memory begins with `code` at 0x1000. `event`, where it is not negative, is
// signalled by each write of four bytes at `address`. Null with errno where KVM refuses. It is never unmade.
struct exit_loop *exit_loop_make(int kvm, const uint8_t *code, size_t byte_count, int event, uint64_t address);

// Serves `exits` of ports and memory. What it returns depends on all that was written; or 0 at any other exit.
uint64_t exit_loop_serve(struct exit_loop *loop, uint64_t exits);
