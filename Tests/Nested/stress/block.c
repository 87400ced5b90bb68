// SPDX-License-Identifier: Apache-2.0
/* A block device under load: each worker has a part of it, writes, zeroes, discards and reads sectors of it past the
 * page cache, and knows, sector by sector, what must be there. */
#define _GNU_SOURCE
#include "pattern.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { sector = 512, largest = 512 /* sectors a request */, unknown = -1 };

struct work {
    const char *device;
    int count, steps;
    uint64_t seed, sectors;
};

static uint64_t length_of(int fd) {
    uint64_t bytes;
    if (ioctl(fd, BLKGETSIZE64, &bytes) == 0) return bytes;
    struct stat status;
    if (fstat(fd, &status) < 0) fail("fstat");
    return (uint64_t)status.st_size;
}

static void check(const uint8_t *bytes, uint64_t first, int count, const int *generation) {
    for (int i = 0; i < count; i++) {
        const uint8_t *at = bytes + i * sector;
        if (generation[i] == unknown) continue;
        if (generation[i] == 0) {
            for (int j = 0; j < sector; j++)
                if (at[j]) fail("sector %llu has %02x at %d where there are zeroes", (unsigned long long)first + i, at[j], j);
        } else {
            size_t where = differ(at, sector, (first + (uint64_t)i) << 24 ^ (uint64_t)generation[i], 0);
            if (where != sector)
                fail("sector %llu of generation %d differs at %zu", (unsigned long long)first + i, generation[i], where);
        }
    }
}

static void read_all(int fd, uint8_t *bytes, size_t size, uint64_t offset) {
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, bytes + done, size - done, (off_t)(offset + done));
        if (got <= 0) fail("pread of %zu at %llu: %zd", size - done, (unsigned long long)(offset + done), got);
        done += (size_t)got;
    }
}

static void write_all(int fd, const uint8_t *bytes, size_t size, uint64_t offset) {
    for (size_t done = 0; done < size;) {
        ssize_t put = pwrite(fd, bytes + done, size - done, (off_t)(offset + done));
        if (put <= 0) fail("pwrite of %zu at %llu: %zd", size - done, (unsigned long long)(offset + done), put);
        done += (size_t)put;
    }
}

static void work(int worker, void *context) {
    struct work *work = context;
    uint64_t random = work->seed * 7919u + (uint64_t)worker;
    uint64_t part = work->sectors / (uint64_t)work->count, start = part * (uint64_t)worker;
    int *generation = calloc(part, sizeof *generation);
    uint8_t *bytes;
    if (!generation || posix_memalign((void **)&bytes, 4096, largest * sector)) fail("no memory");
    int direct = open(work->device, O_RDWR | O_DIRECT | O_CLOEXEC);
    if (direct < 0) fail("open %s", work->device);
    for (uint64_t i = 0; i < part; i++) generation[i] = unknown;
    for (int step = 1; step <= work->steps; step++) {
        int count = 1 + (int)draw(&random, draw(&random, 4) ? 16 : largest);
        uint64_t first = draw(&random, (uint32_t)(part - (uint64_t)count));
        uint64_t range[2] = {(start + first) * sector, (uint64_t)count * sector};
        uint32_t what = draw(&random, 16);
        if (what < 7) {
            for (int i = 0; i < count; i++) {
                generation[first + (uint64_t)i] = step;
                fill(bytes + i * sector, sector, (start + first + (uint64_t)i) << 24 ^ (uint64_t)step, 0);
            }
            write_all(direct, bytes, range[1], range[0]);
        } else if (what == 7) {
            if (fdatasync(direct) < 0) fail("fdatasync");
        } else if (what == 8) {
            if (ioctl(direct, BLKZEROOUT, range) < 0) fail("BLKZEROOUT");
            for (int i = 0; i < count; i++) generation[first + (uint64_t)i] = 0;
        } else if (what == 9) { /* Discarded sectors may hold anything. */
            if (ioctl(direct, BLKDISCARD, range) < 0 && errno != EOPNOTSUPP) fail("BLKDISCARD");
            for (int i = 0; i < count; i++) generation[first + (uint64_t)i] = unknown;
        } else {
            read_all(direct, bytes, range[1], range[0]);
            check(bytes, start + first, count, generation + first);
        }
    }
    for (uint64_t at = 0; at < part; at += largest) {
        int count = part - at < largest ? (int)(part - at) : largest;
        read_all(direct, bytes, (size_t)count * sector, (start + at) * sector);
        check(bytes, start + at, count, generation + at);
    }
    if (fdatasync(direct) < 0) fail("fdatasync at the end");
    close(direct);
}

int stress_block(const char *device, int count, int steps, uint64_t seed) {
    int fd = open(device, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail("open %s", device);
    struct work context = {device, count, steps, seed, length_of(fd) / sector};
    close(fd);
    if (context.sectors / (uint64_t)count <= largest) fail("%s is too small", device);
    return workers(count, work, &context);
}

int sum_block(const char *device) {
    static uint8_t bytes[1 << 18];
    int fd = open(device, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail("open %s", device);
    uint64_t size = length_of(fd) / sector * sector, sum = SUM_START;
    for (uint64_t at = 0; at < size; at += sizeof bytes) {
        size_t piece = size - at < sizeof bytes ? size - at : sizeof bytes;
        read_all(fd, bytes, piece, at);
        sum = checksum(sum, bytes, piece);
    }
    close(fd);
    printf("sum %016llx %llu\n", (unsigned long long)sum, (unsigned long long)size);
    return 0;
}
