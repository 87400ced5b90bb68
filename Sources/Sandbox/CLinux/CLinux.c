// SPDX-License-Identifier: Apache-2.0
// Everything in CLinux is static inline; this file gives SwiftPM a C target and the
// compiler a place to check what the headers assume.
#define _GNU_SOURCE
#include "CLinux.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>

_Static_assert(CL_O_PATH == O_PATH, "O_PATH");
_Static_assert(CL_O_DIRECT == O_DIRECT, "O_DIRECT");
_Static_assert(CL_O_NOATIME == O_NOATIME, "O_NOATIME");
_Static_assert(CL_O_TMPFILE == O_TMPFILE, "O_TMPFILE");
_Static_assert(CL_CLONE_NEWNS == CLONE_NEWNS, "CLONE_NEWNS");
_Static_assert(sizeof(struct epoll_event) == sizeof(struct cl_epoll_event), "epoll_event");
_Static_assert(sizeof(struct msghdr) == sizeof(struct cl_msghdr), "msghdr");
