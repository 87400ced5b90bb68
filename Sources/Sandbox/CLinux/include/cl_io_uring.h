// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

// io_uring(7), as of Linux 5.10: the structures of <linux/io_uring.h>, which cannot stand beside Glibc's headers,
// and whose unions Swift has no use for.
struct cl_uring_sqe {
    uint8_t opcode;
    uint8_t flags;
    uint16_t priority;
    int32_t file;
    uint64_t offset;
    uint64_t address;
    uint32_t count;
    uint32_t operation_flags;
    uint64_t token;
    uint64_t reserved[3];
};

struct cl_uring_cqe {
    uint64_t token;
    int32_t result;
    uint32_t flags;
};

struct cl_uring_sq_offsets {
    uint32_t head;
    uint32_t tail;
    uint32_t ring_mask;
    uint32_t ring_entries;
    uint32_t flags;
    uint32_t dropped;
    uint32_t array;
    uint32_t reserved[3];
};

struct cl_uring_cq_offsets {
    uint32_t head;
    uint32_t tail;
    uint32_t ring_mask;
    uint32_t ring_entries;
    uint32_t overflow;
    uint32_t cqes;
    uint32_t flags;
    uint32_t reserved[3];
};

struct cl_uring_params {
    uint32_t sq_entries;
    uint32_t cq_entries;
    uint32_t flags;
    uint32_t sq_thread_cpu;
    uint32_t sq_thread_idle;
    uint32_t features;
    uint32_t wq_file;
    uint32_t reserved[3];
    struct cl_uring_sq_offsets sq;
    struct cl_uring_cq_offsets cq;
};

struct cl_uring_restriction {
    uint16_t kind;
    uint8_t value;
    uint8_t reserved0;
    uint32_t reserved1[3];
};

_Static_assert(sizeof(struct cl_uring_sqe) == 64, "io_uring_sqe");
_Static_assert(sizeof(struct cl_uring_cqe) == 16, "io_uring_cqe");
_Static_assert(sizeof(struct cl_uring_params) == 120, "io_uring_params");
_Static_assert(sizeof(struct cl_uring_restriction) == 16, "io_uring_restriction");

enum {
    CL_URING_OP_READV = 1,
    CL_URING_OP_WRITEV = 2,
    CL_URING_OP_FSYNC = 3,
    CL_URING_OP_FALLOCATE = 17,
    CL_URING_FSYNC_DATASYNC = 1,
    CL_URING_SQE_FIXED_FILE = 1,
    CL_URING_ENTER_GETEVENTS = 1,
    CL_URING_SETUP_R_DISABLED = 1 << 6,
    CL_URING_SETUP_COOP_TASKRUN = 1 << 8,
    CL_URING_FEAT_SINGLE_MMAP = 1 << 0,
    CL_URING_FEAT_NODROP = 1 << 1,
    CL_URING_FEAT_SUBMIT_STABLE = 1 << 2,
    CL_URING_REGISTER_FILES = 2,
    CL_URING_REGISTER_RESTRICTIONS = 11,
    CL_URING_REGISTER_ENABLE_RINGS = 12,
    CL_URING_RESTRICTION_SQE_OP = 1,
    CL_URING_RESTRICTION_SQE_FLAGS_ALLOWED = 2,
    CL_URING_RESTRICTION_SQE_FLAGS_REQUIRED = 3,
    CL_URING_OFF_SQES = 0x10000000,
    CL_RWF_DSYNC = 2,
};
