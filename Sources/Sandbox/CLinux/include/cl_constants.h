// SPDX-License-Identifier: Apache-2.0
#pragma once

// uapi headers stand outside the Glibc module, so their macros reach Swift.
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <linux/vm_sockets.h>

// What libc shows under _GNU_SOURCE only, or what does not import as a macro.
enum {
    CL_O_DIRECT = 040000,
    CL_O_NOATIME = 01000000,
    CL_O_PATH = 010000000,
    CL_O_TMPFILE = 020200000,
    CL_AT_EMPTY_PATH = 0x1000,
    CL_AT_RECURSIVE = 0x8000,
    CL_AT_SYMLINK_NOFOLLOW = 0x100,
    CL_AT_SYMLINK_FOLLOW = 0x400,
    CL_AT_NO_AUTOMOUNT = 0x800,
    CL_AT_REMOVEDIR = 0x200,
    CL_AT_FDCWD = -100,
    CL_F_ADD_SEALS = 1033,
    CL_F_SEAL_SEAL = 1,
    CL_F_SEAL_SHRINK = 2,
    CL_F_SEAL_GROW = 4,
    CL_EFD_CLOEXEC = 02000000,
    CL_EFD_NONBLOCK = 04000,
    CL_SFD_CLOEXEC = 02000000,
    CL_SFD_NONBLOCK = 04000,
    CL_TFD_CLOEXEC = 02000000,
    CL_TFD_NONBLOCK = 04000,
    CL_SOCK_CLOEXEC = 02000000,
    CL_SOCK_NONBLOCK = 04000,
    CL_MNT_DETACH = 2,
    CL_UMOUNT_NOFOLLOW = 8,
    CL_P_PIDFD = 3,
    CL_WEXITED = 4,
    CL_WNOHANG = 1,
};

static const unsigned long CL_CLONE_NEWNS = CLONE_NEWNS;
static const unsigned long CL_CLONE_NEWCGROUP = CLONE_NEWCGROUP;
static const unsigned long CL_CLONE_NEWUTS = CLONE_NEWUTS;
static const unsigned long CL_CLONE_NEWIPC = CLONE_NEWIPC;
static const unsigned long CL_CLONE_NEWUSER = CLONE_NEWUSER;
static const unsigned long CL_CLONE_NEWPID = CLONE_NEWPID;
static const unsigned long CL_CLONE_NEWNET = CLONE_NEWNET;
static const unsigned long CL_CLONE_PIDFD = CLONE_PIDFD;
static const unsigned long CL_CLONE_INTO_CGROUP = CLONE_INTO_CGROUP;

static const unsigned long CL_MS_RDONLY = 1;
static const unsigned long CL_MS_NOSUID = 2;
static const unsigned long CL_MS_NODEV = 4;
static const unsigned long CL_MS_NOEXEC = 8;
static const unsigned long CL_MS_SYNCHRONOUS = 16;
static const unsigned long CL_MS_REMOUNT = 32;
static const unsigned long CL_MS_MANDLOCK = 64;
static const unsigned long CL_MS_DIRSYNC = 128;
static const unsigned long CL_MS_NOSYMFOLLOW = 256;
static const unsigned long CL_MS_NOATIME = 1024;
static const unsigned long CL_MS_NODIRATIME = 2048;
static const unsigned long CL_MS_BIND = 4096;
static const unsigned long CL_MS_MOVE = 8192;
static const unsigned long CL_MS_REC = 16384;
static const unsigned long CL_MS_UNBINDABLE = 1ul << 17;
static const unsigned long CL_MS_PRIVATE = 1ul << 18;
static const unsigned long CL_MS_SLAVE = 1ul << 19;
static const unsigned long CL_MS_SHARED = 1ul << 20;
static const unsigned long CL_MS_RELATIME = 1ul << 21;
static const unsigned long CL_MS_STRICTATIME = 1ul << 24;
static const unsigned long CL_MS_LAZYTIME = 1ul << 25;
