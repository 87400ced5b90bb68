// SPDX-License-Identifier: Apache-2.0
/* Files under load: each worker writes, moves, shortens, maps and removes files of its own and knows, page by page,
 * what must be in them. What it leaves has a manifest, by which the other side of virtio-fs can tell, too. */
#define _GNU_SOURCE
#include "pattern.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { page = 4096, pages = 64, files = 12 };

struct file {
    int there, number, length;     /* in pages */
    uint32_t generation[pages];    /* 0: never written, so zeroes */
};

struct work {
    const char *directory;
    int steps;
    uint64_t seed;
};

static uint64_t stream(int number, int index, uint32_t generation) {
    return ((uint64_t)number << 40) ^ ((uint64_t)generation << 8) ^ (uint64_t)index;
}

static void path(char *buffer, const char *directory, int worker, int number) {
    snprintf(buffer, 256, "%s/w%d/f%d", directory, worker, number);
}

static void check_page(const char *name, const uint8_t *bytes, int number, int index, uint32_t generation) {
    if (generation == 0) {
        for (int i = 0; i < page; i++)
            if (bytes[i]) fail("%s: page %d has %02x at %d where there are zeroes", name, index, bytes[i], i);
    } else {
        size_t at = differ(bytes, page, stream(number, index, generation), 0);
        if (at != page) fail("%s: page %d of generation %u differs at %zu", name, index, generation, at);
    }
}

static void check_file(const char *name, const struct file *file, int mapped) {
    static uint8_t bytes[pages * page];
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail("open %s", name);
    struct stat status;
    if (fstat(fd, &status) < 0) fail("fstat %s", name);
    if (status.st_size != (off_t)file->length * page)
        fail("%s has %lld bytes, not %d", name, (long long)status.st_size, file->length * page);
    const uint8_t *content = bytes;
    size_t size = (size_t)file->length * page;
    if (mapped && size > 0) {
        content = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (content == MAP_FAILED) fail("mmap %s", name);
    } else {
        for (size_t done = 0; done < size;) {
            ssize_t got = pread(fd, bytes + done, size - done, (off_t)done);
            if (got <= 0) fail("pread %s at %zu: %zd", name, done, got);
            done += (size_t)got;
        }
    }
    for (int i = 0; i < file->length; i++) check_page(name, content + i * page, file->number, i, file->generation[i]);
    if (content != bytes) munmap((void *)content, size);
    close(fd);
}

static void write_pages(const char *name, struct file *file, uint64_t *random) {
    static uint8_t bytes[pages * page];
    int first = (int)draw(random, pages), count = 1 + (int)draw(random, (uint32_t)(pages - first));
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) fail("open %s to write", name);
    for (int i = 0; i < count; i++) {
        uint32_t generation = ++file->generation[first + i];
        fill(bytes + i * page, page, stream(file->number, first + i, generation), 0);
    }
    for (int done = 0; done < count * page;) {
        ssize_t put = pwrite(fd, bytes + done, (size_t)(count * page - done), (off_t)first * page + done);
        if (put <= 0) fail("pwrite %s: %zd", name, put);
        done += (int)put;
    }
    if (draw(random, 4) == 0 && fsync(fd) < 0) fail("fsync %s", name);
    if (close(fd) < 0) fail("close %s", name);
    if (first + count > file->length) file->length = first + count;
    file->there = 1;
}

static void shorten(const char *name, struct file *file, uint64_t *random) {
    int length = (int)draw(random, (uint32_t)file->length + 1);
    if (truncate(name, (off_t)length * page) < 0) fail("truncate %s", name);
    file->length = length;
    for (int i = length; i < pages; i++) file->generation[i] = 0;
}

static void manifest(const char *directory, int worker, const struct file *all) {
    char name[256];
    snprintf(name, sizeof name, "%s/manifest%d", directory, worker);
    FILE *list = fopen(name, "w");
    if (!list) fail("%s", name);
    for (int i = 0; i < files; i++) {
        if (!all[i].there) continue;
        fprintf(list, "%d %d %d", worker, all[i].number, all[i].length);
        for (int j = 0; j < all[i].length; j++) fprintf(list, " %u", all[i].generation[j]);
        fprintf(list, "\n");
    }
    if (fclose(list)) fail("%s", name);
}

static void work(int worker, void *context) {
    struct work *work = context;
    uint64_t random = work->seed * 1000003u + (uint64_t)worker;
    struct file all[files];
    char name[256], other[256];
    int next = files;
    memset(all, 0, sizeof all);
    for (int i = 0; i < files; i++) all[i].number = i;
    snprintf(name, sizeof name, "%s/w%d", work->directory, worker);
    if (mkdir(name, 0755) < 0) fail("mkdir %s", name);
    for (int step = 0; step < work->steps; step++) {
        struct file *file = &all[draw(&random, files)];
        path(name, work->directory, worker, file->number);
        if (!file->there) {
            if (access(name, F_OK) == 0 || errno != ENOENT) fail("%s is there", name);
            write_pages(name, file, &random);
            continue;
        }
        switch (draw(&random, 8)) {
            case 0: case 1: case 2: write_pages(name, file, &random); break;
            case 3: check_file(name, file, 1); break;
            case 4: shorten(name, file, &random); break;
            case 5: /* A file keeps its number's content under a new name: pages are written anew. */
                path(other, work->directory, worker, next);
                if (rename(name, other) < 0) fail("rename %s", name);
                if (truncate(other, 0) < 0) fail("truncate %s", other);
                memset(file, 0, sizeof *file);
                file->number = next++;
                write_pages(other, file, &random);
                break;
            case 6:
                if (unlink(name) < 0) fail("unlink %s", name);
                memset(file, 0, sizeof *file);
                file->number = next++;
                break;
            default: check_file(name, file, 0);
        }
    }
    for (int i = 0; i < files; i++) {
        path(name, work->directory, worker, all[i].number);
        if (all[i].there) check_file(name, &all[i], i & 1);
    }
    manifest(work->directory, worker, all);
}

int stress_files(const char *directory, int count, int steps, uint64_t seed) {
    struct work context = {directory, steps, seed};
    int failed = workers(count, work, &context);
    sync();
    return failed;
}

int verify_files(const char *directory) {
    int verified = 0;
    for (int worker = 0;; worker++) {
        char name[256];
        snprintf(name, sizeof name, "%s/manifest%d", directory, worker);
        FILE *list = fopen(name, "r");
        if (!list) break;
        struct file file;
        int owner;
        memset(&file, 0, sizeof file);
        while (fscanf(list, "%d %d %d", &owner, &file.number, &file.length) == 3) {
            if (file.length < 0 || file.length > pages) fail("%s is damaged", name);
            for (int i = 0; i < file.length; i++)
                if (fscanf(list, "%u", &file.generation[i]) != 1) fail("%s is damaged", name);
            char path_[256];
            path(path_, directory, owner, file.number);
            check_file(path_, &file, 0);
            verified++;
        }
        fclose(list);
    }
    if (verified == 0) fail("no manifest in %s", directory);
    printf("%d files are as they were written\n", verified);
    return 0;
}
