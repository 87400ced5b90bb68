// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/falloc.h>
#include <stdint.h>

// struct statx of <linux/stat.h>, which cannot stand beside Glibc's own.
struct cl_statx_timestamp {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t reserved;
};

struct cl_statx {
    uint32_t mask;
    uint32_t block_size;
    uint64_t attributes;
    uint32_t link_count;
    uint32_t uid;
    uint32_t gid;
    uint16_t mode;
    uint16_t reserved0;
    uint64_t inode;
    uint64_t size;
    uint64_t blocks;
    uint64_t attributes_mask;
    struct cl_statx_timestamp accessed;
    struct cl_statx_timestamp created;
    struct cl_statx_timestamp changed;
    struct cl_statx_timestamp modified;
    uint32_t rdev_major;
    uint32_t rdev_minor;
    uint32_t device_major;
    uint32_t device_minor;
    uint64_t mount_id;
    uint64_t reserved1[13];
};

_Static_assert(sizeof(struct cl_statx) == 256, "statx");

// struct statfs as the 64-bit kernels fill it.
struct cl_statfs {
    int64_t type;
    int64_t block_size;
    uint64_t blocks;
    uint64_t blocks_free;
    uint64_t blocks_available;
    uint64_t files;
    uint64_t files_free;
    int32_t id[2];
    int64_t name_limit;
    int64_t fragment_size;
    int64_t flags;
    int64_t reserved[4];
};

_Static_assert(sizeof(struct cl_statfs) == 120, "statfs");

enum {
    CL_STATX_BASIC_STATS = 0x7ff,
    CL_STATX_BTIME = 0x800,
    CL_STATX_MNT_ID = 0x1000,
    CL_RENAME_NOREPLACE = 1,
    CL_RENAME_EXCHANGE = 2,
    CL_RENAME_WHITEOUT = 4,
    CL_RWF_NOWAIT = 0x8,
    CL_RWF_APPEND = 0x10,
    CL_UTIME_NOW = 0x3fffffff,
    CL_UTIME_OMIT = 0x3ffffffe,
    CL_SEEK_DATA = 3,
    CL_SEEK_HOLE = 4,
    CL_AT_EACCESS = 0x200,
};
