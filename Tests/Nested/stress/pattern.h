// SPDX-License-Identifier: Apache-2.0
/* What is written is a function of a seed and a place, so that who reads can tell what must be there. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* A number below `bound`, drawn from *state. */
uint32_t draw(uint64_t *state, uint32_t bound);

/* Fills `size` bytes, which are those at `offset` of the endless stream that `seed` names. */
void fill(void *bytes, size_t size, uint64_t seed, uint64_t offset);

/* Where `bytes` first differ from that stream; `size` if they do not. */
size_t differ(const void *bytes, size_t size, uint64_t seed, uint64_t offset);

/* FNV-1a over 64 bit words, carried on from `sum`; `size` is a multiple of 8. */
#define SUM_START 0xcbf29ce484222325u
uint64_t checksum(uint64_t sum, const void *bytes, size_t size);

/* Says what failed and ends this process with status 1. */
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Runs `body` in `count` processes; returns how many of them did not end with 0. */
int workers(int count, void (*body)(int worker, void *context), void *context);

/* The stresses: each returns 0, or the number of workers that failed. */
int stress_files(const char *directory, int count, int steps, uint64_t seed);
int verify_files(const char *directory);
int stress_block(const char *device, int count, int steps, uint64_t seed);
int sum_block(const char *device);
int stress_network(const char *address, int count, int mebibytes, uint64_t seed);
int serve_network(const char *address, int count, int mebibytes, uint64_t seed);
int stress_registers(int count, int milliseconds);
int figures_block(const char *device, int mebibytes);
int figures_network(const char *peer, int mebibytes);
int figures_serve(const char *here, int mebibytes);
void init_machine(void) __attribute__((noreturn));
int with_tap(const char *name, const char *number, char **command);
