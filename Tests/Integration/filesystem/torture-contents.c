// SPDX-License-Identifier: Apache-2.0
// Of the torture test: what is in files, however it is written, mapped and read.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "torture.h"

static void sparse(void) {
    int fd = open("big", O_CREAT | O_RDWR | O_TRUNC, 0644);
    char buffer[4096], back[4096];
    memset(buffer, 'z', sizeof buffer);
    off_t far = (5LL << 30) + 123;
    CHECK(pwrite(fd, buffer, sizeof buffer, far) == sizeof buffer);
    struct stat st;
    CHECK(fstat(fd, &st) == 0 && st.st_size == far + 4096 && st.st_blocks < 64);
    CHECK(pread(fd, back, sizeof back, far) == sizeof back && memcmp(buffer, back, sizeof back) == 0);
    CHECK(pread(fd, back, 16, 1 << 30) == 16 && back[0] == 0 && back[15] == 0);
    CHECK(lseek(fd, 0, SEEK_DATA) > (4LL << 30));
    CHECK(lseek(fd, 0, SEEK_HOLE) == 0);
    FAILS(lseek(fd, far + 8192, SEEK_DATA), ENXIO);
    CHECK(ftruncate(fd, 0) == 0);
    CHECK(fallocate(fd, 0, 0, 1 << 20) == 0 && fstat(fd, &st) == 0 && st.st_size == 1 << 20);
    CHECK(st.st_blocks >= 2048);
    CHECK(pwrite(fd, buffer, 4096, 65536) == 4096);
    CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 65536, 4096) == 0);
    CHECK(pread(fd, back, 4096, 65536) == 4096 && back[0] == 0 && back[4095] == 0);
    CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 1 << 20, 1 << 20) == 0 && fstat(fd, &st) == 0 && st.st_size == 1 << 20);
    CHECK(fsync(fd) == 0 && fdatasync(fd) == 0);
    int to = open("copy", O_CREAT | O_RDWR | O_TRUNC, 0644);
    CHECK(pwrite(fd, "0123456789", 10, 0) == 10);
    loff_t in = 2, out = 4;
    CHECK(copy_file_range(fd, &in, to, &out, 5, 0) == 5);
    CHECK(pread(to, back, 16, 0) == 9 && memcmp(back, "\0\0\0\0" "23456", 9) == 0);
    close(fd);
    close(to);
    CHECK(unlink("big") == 0 && unlink("copy") == 0);
}

static void mapping(void) {
    int fd = open("map", O_CREAT | O_RDWR | O_TRUNC, 0644);
    size_t size = 1 << 20;
    CHECK(ftruncate(fd, size) == 0);
    unsigned char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(map != MAP_FAILED);
    for (size_t i = 0; i < size; i++) map[i] = (unsigned char)(i * 7);
    CHECK(msync(map, size, MS_SYNC) == 0);
    int again = open("map", O_RDONLY | O_DIRECT);
    if (again < 0) again = open("map", O_RDONLY);
    unsigned char *back = aligned_alloc(4096, size);
    CHECK(read(again, back, size) == (ssize_t)size);
    int equal = 1;
    for (size_t i = 0; i < size; i++) equal &= back[i] == (unsigned char)(i * 7);
    CHECK(equal);
    munmap(map, size);
    free(back);
    close(again);
    close(fd);
    CHECK(unlink("map") == 0);
}

static void appending(void) {
    int a = open("log", O_CREAT | O_WRONLY | O_APPEND, 0644), b = open("log", O_WRONLY | O_APPEND);
    for (int i = 0; i < 100; i++) CHECK(write(i & 1 ? a : b, i & 1 ? "odd \n" : "even\n", 5) == 5);
    struct stat st;
    CHECK(fstat(a, &st) == 0 && st.st_size == 500);
    close(a);
    close(b);
    int fd = open("log", O_RDWR | O_TRUNC);
    CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 0);
    close(fd);
    unlink("log");
    fd = open(".", O_TMPFILE | O_RDWR, 0600);
    CHECK(fd >= 0 && write(fd, "tmp", 3) == 3 && fstat(fd, &st) == 0 && st.st_nlink == 0);
    char path[64];
    sprintf(path, "/proc/self/fd/%d", fd);
    CHECK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0 && holds("named", "tmp"));
    close(fd);
    unlink("named");
}

// As fsx: random operations on a file and on a copy in memory, which must agree.
static void random_operations(unsigned seed, int steps, const char *path) {
    enum { LIMIT = 300000 };
    unsigned char *copy = calloc(1, LIMIT), *buffer = malloc(LIMIT);
    size_t size = 0;
    int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0644);
    int wrong = 0;
    for (int step = 0; step < steps && !wrong; step++) {
        size_t offset = rand_r(&seed) % LIMIT, count = rand_r(&seed) % 70000;
        if (offset + count > LIMIT) count = LIMIT - offset;
        switch (rand_r(&seed) % 8) {
        case 0: case 1: case 2:
            for (size_t i = 0; i < count; i++) buffer[i] = (unsigned char)rand_r(&seed);
            if (pwrite(fd, buffer, count, offset) != (ssize_t)count) wrong = __LINE__;
            memcpy(copy + offset, buffer, count);
            if (count && offset + count > size) size = offset + count;
            break;
        case 3: case 4: {
            ssize_t want = offset >= size ? 0 : offset + count > size ? (ssize_t)(size - offset) : (ssize_t)count;
            if (pread(fd, buffer, count, offset) != want || memcmp(buffer, copy + offset, want)) wrong = __LINE__;
            break;
        }
        case 5:
            if (ftruncate(fd, offset)) wrong = __LINE__;
            if (offset < size) memset(copy + offset, 0, size - offset);
            size = offset;
            break;
        case 6:
            if (offset < size && count) {
                if (offset + count > size) count = size - offset;
                void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
                if (map == MAP_FAILED) { wrong = __LINE__; break; }
                if (memcmp((char *)map + offset, copy + offset, count)) wrong = __LINE__;
                for (size_t i = 0; i < count; i++) buffer[i] = (unsigned char)rand_r(&seed);
                memcpy((char *)map + offset, buffer, count);
                memcpy(copy + offset, buffer, count);
                munmap(map, size);
            }
            break;
        default:
            if (rand_r(&seed) % 4 == 0) {
                close(fd);
                if ((fd = open(path, O_RDWR)) < 0) wrong = __LINE__;
            } else if (count && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, count) == 0) {
                memset(copy + offset, 0, count);
            }
        }
        struct stat st;
        if (fstat(fd, &st) || st.st_size != (off_t)size) wrong = __LINE__;
    }
    if (wrong) printf("random operations with seed %u: line %d\n", seed, wrong);
    CHECK(!wrong);
    close(fd);
    unlink(path);
    free(copy);
    free(buffer);
}

static void *writer(void *argument) {
    long number = (long)argument;
    char path[32], buffer[8192];
    long bad = 0;
    sprintf(path, "parallel-%ld", number);
    for (int round = 0; round < 30; round++) {
        int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0644);
        memset(buffer, (int)(number + round), sizeof buffer);
        for (int i = 0; i < 8; i++) bad += write(fd, buffer, sizeof buffer) != sizeof buffer;
        for (int i = 0; i < 8; i++) {
            char back[8192];
            bad += pread(fd, back, sizeof back, i * 8192) != 8192 || memcmp(back, buffer, 8192);
        }
        close(fd);
        bad += unlink(path) != 0;
    }
    return (void *)bad;
}

static void parallel(void) {
    pthread_t threads[8];
    for (long i = 0; i < 8; i++) pthread_create(&threads[i], NULL, writer, (void *)i);
    for (int i = 0; i < 8; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        CHECK(bad == NULL);
    }
}

void contents(void) {
    sparse();
    mapping();
    appending();
    for (unsigned seed = 1; seed <= 3; seed++) random_operations(seed, 400, "random");
    parallel();
}
