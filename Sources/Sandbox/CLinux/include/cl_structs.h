// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stddef.h>
#include <stdint.h>

// Kernel structures under names of their own, so that they do not clash with Glibc's.
struct cl_epoll_event {
    uint32_t events;
    uint64_t data;
}
#if defined(__x86_64__)
__attribute__((packed))
#endif
;

struct cl_iovec {
    void *base;
    size_t count;
};

struct cl_msghdr {
    void *name;
    uint32_t name_count;
    struct cl_iovec *vectors;
    size_t vector_count;
    void *control;
    size_t control_count;
    int32_t flags;
};

// struct clone_args of <linux/sched.h>, as of Linux 5.7 (cgroup).
struct cl_clone_args {
    uint64_t flags;
    uint64_t pidfd;
    uint64_t child_tid;
    uint64_t parent_tid;
    uint64_t exit_signal;
    uint64_t stack;
    uint64_t stack_size;
    uint64_t tls;
    uint64_t set_tid;
    uint64_t set_tid_size;
    uint64_t cgroup;
};
