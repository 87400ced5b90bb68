// SPDX-License-Identifier: Apache-2.0
/* How fast a disk and a network are, seen from inside: lines "figure NAME VALUE", in MiB a second and microseconds. */
#define _GNU_SOURCE
#include "pattern.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { port = 7001, piece = 1 << 18, small = 4096, rounds = 400 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int by_size(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return difference < 0 ? -1 : difference > 0;
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_size);
    return values[count / 2];
}

static void rate(const char *name, int mebibytes, double microseconds) {
    printf("figure %s %.2f\n", name, mebibytes * 1e6 / microseconds);
}

int figures_block(const char *device, int mebibytes) {
    double times[rounds], begin;
    uint64_t random = 3;
    uint8_t *bytes;
    int fd = open(device, O_RDWR | O_DIRECT | O_CLOEXEC), count = mebibytes * 4;
    if (fd < 0 || posix_memalign((void **)&bytes, 4096, piece)) fail("open %s", device);
    fill(bytes, piece, 1, 0);
    begin = now();
    for (int i = 0; i < count; i++)
        if (pwrite(fd, bytes, piece, (off_t)i * piece) != piece) fail("pwrite");
    if (fdatasync(fd) < 0) fail("fdatasync");
    rate("block-write", mebibytes, now() - begin);
    begin = now();
    for (int i = 0; i < count; i++)
        if (pread(fd, bytes, piece, (off_t)i * piece) != piece) fail("pread");
    rate("block-read", mebibytes, now() - begin);
    for (int i = 0; i < rounds; i++) {
        off_t at = (off_t)draw(&random, (uint32_t)mebibytes * 256) * small;
        begin = now();
        if (pread(fd, bytes, small, at) != small) fail("pread of a page");
        times[i] = now() - begin;
    }
    printf("figure block-latency %.1f\n", median(times, rounds));
    close(fd);
    return 0;
}

static struct sockaddr_in parse(const char *text) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, text, &address.sin_addr) != 1) fail("%s is no address", text);
    return address;
}

/* Moves `total` bytes one way. */
static void pour(int fd, uint64_t total, int out) {
    static uint8_t bytes[piece];
    for (uint64_t done = 0; done < total;) {
        size_t size = total - done < piece ? total - done : piece;
        ssize_t moved = out ? send(fd, bytes, size, MSG_NOSIGNAL) : recv(fd, bytes, size, 0);
        if (moved <= 0) fail("%s after %llu bytes: %zd", out ? "send" : "recv", (unsigned long long)done, moved);
        done += (uint64_t)moved;
    }
}

int figures_network(const char *peer, int mebibytes) {
    struct sockaddr_in address = parse(peer);
    uint64_t total = (uint64_t)mebibytes << 20, answer;
    double times[rounds], begin;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pour(fd, 1 << 20, 1), pour(fd, 1 << 20, 0); /* warm */
    begin = now();
    pour(fd, total, 1);
    if (recv(fd, &answer, sizeof answer, MSG_WAITALL) != sizeof answer) fail("no answer");
    rate("net-send", mebibytes, now() - begin);
    begin = now();
    pour(fd, total, 0);
    rate("net-receive", mebibytes, now() - begin);
    for (int i = 0; i < rounds; i++) {
        begin = now();
        pour(fd, small, 1), pour(fd, small, 0);
        times[i] = now() - begin;
    }
    printf("figure net-latency %.1f\n", median(times, rounds));
    close(fd);
    return 0;
}

/* The other side of figures_network, once. */
int figures_serve(const char *here, int mebibytes) {
    struct sockaddr_in address = parse(here);
    uint64_t total = (uint64_t)mebibytes << 20, answer = 0;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0) fail("bind %s", here);
    if ((fd = accept(listener, NULL, NULL)) < 0) fail("accept");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    pour(fd, 1 << 20, 0), pour(fd, 1 << 20, 1);
    pour(fd, total, 0);
    pour(fd, sizeof answer, 1);
    pour(fd, total, 1);
    for (int i = 0; i < rounds; i++) pour(fd, small, 0), pour(fd, small, 1);
    close(fd);
    return 0;
}
