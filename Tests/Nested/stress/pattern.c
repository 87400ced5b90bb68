// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "pattern.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t mix(uint64_t value) {
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

uint32_t draw(uint64_t *state, uint32_t bound) {
    *state += 0x9e3779b97f4a7c15u;
    return (uint32_t)(mix(*state) >> 32) % bound;
}

/* The stream's bytes come from 64 bit words, each of its index: one multiplication, since under emulation bytes are
 * to be moved, not made. */
static uint64_t word(uint64_t seed, uint64_t index) { return (seed + index * 2 + 1) * 0x9e3779b97f4a7c15u; }

void fill(void *bytes, size_t size, uint64_t seed, uint64_t offset) {
    uint8_t *out = bytes;
    size_t done = 0;
    while (done < size) {
        uint64_t value = word(seed, (offset + done) / 8);
        size_t skip = (offset + done) % 8, piece = 8 - skip;
        if (piece > size - done) piece = size - done;
        memcpy(out + done, (uint8_t *)&value + skip, piece);
        done += piece;
    }
}

size_t differ(const void *bytes, size_t size, uint64_t seed, uint64_t offset) {
    const uint8_t *in = bytes;
    size_t done = 0;
    while (done < size) {
        uint64_t value = word(seed, (offset + done) / 8);
        size_t skip = (offset + done) % 8, piece = 8 - skip;
        if (piece > size - done) piece = size - done;
        if (memcmp(in + done, (uint8_t *)&value + skip, piece)) return done;
        done += piece;
    }
    return size;
}

uint64_t checksum(uint64_t sum, const void *bytes, size_t size) {
    const uint8_t *in = bytes;
    for (size_t done = 0; done < size; done += 8) {
        uint64_t value;
        memcpy(&value, in + done, 8);
        sum = (sum ^ value) * 0x100000001b3u;
    }
    return sum;
}

void fail(const char *format, ...) {
    char line[512];
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= (int)sizeof line) length = 0;
    printf("stress: %.*s (%s)\n", length, line, strerror(error));
    fflush(stdout);
    exit(1);
}

int workers(int count, void (*body)(int, void *), void *context) {
    int failed = 0;
    fflush(stdout);
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        if (child < 0) fail("fork");
        if (child == 0) {
            body(i, context);
            fflush(stdout);
            _exit(0);
        }
    }
    for (int i = 0; i < count; i++) {
        int status = -1;
        if (wait(&status) < 0) fail("wait");
        if (status != 0) failed++;
    }
    return failed;
}
