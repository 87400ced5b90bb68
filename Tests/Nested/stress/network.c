// SPDX-License-Identifier: Apache-2.0
/* A network under load: TCP connections that carry a known stream both ways at once, and datagrams, some of which are
 * larger than a frame, that must come back as they went. */
#define _GNU_SOURCE
#include "pattern.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { port = 7000, chunk = 1 << 16, datagrams = 64, patience = 120 /* seconds */ };

struct work {
    struct sockaddr_in address;
    int mebibytes;
    uint64_t seed;
};

static struct sockaddr_in parse(const char *text) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, text, &address.sin_addr) != 1) fail("%s is no address", text);
    return address;
}

static void be_patient(int fd) {
    struct timeval limit = {patience, 0};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0) fail("SO_RCVTIMEO");
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0) fail("SO_SNDTIMEO");
}

/* Sends the stream `out` and takes the stream `in`, both at once, each `total` bytes. */
static void exchange(int fd, uint64_t out, uint64_t in, uint64_t total) {
    static uint8_t bytes[chunk], received[chunk];
    uint64_t sent = 0, taken = 0;
    while (sent < total || taken < total) {
        struct pollfd ready = {fd, (short)((sent < total ? POLLOUT : 0) | (taken < total ? POLLIN : 0)), 0};
        int count = poll(&ready, 1, patience * 1000);
        if (count <= 0) fail("nothing moves after %llu bytes sent, %llu taken", (unsigned long long)sent, (unsigned long long)taken);
        if (ready.revents & POLLIN) {
            ssize_t got = recv(fd, received, chunk, MSG_DONTWAIT);
            if (got < 0 && errno == EAGAIN) continue;
            if (got <= 0) fail("recv after %llu bytes: %zd", (unsigned long long)taken, got);
            size_t at = differ(received, (size_t)got, in, taken);
            if (at != (size_t)got) fail("byte %llu of the stream differs", (unsigned long long)(taken + at));
            taken += (uint64_t)got;
        } else if (ready.revents & (POLLERR | POLLHUP | POLLNVAL)) {
            fail("the connection broke after %llu bytes", (unsigned long long)taken);
        }
        if (sent < total && ready.revents & POLLOUT) {
            size_t piece = total - sent < chunk ? total - sent : chunk;
            fill(bytes, piece, out, sent);
            ssize_t put = send(fd, bytes, piece, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (put < 0 && errno == EAGAIN) continue;
            if (put <= 0) fail("send after %llu bytes: %zd", (unsigned long long)sent, put);
            sent += (uint64_t)put;
        }
    }
}

static void talk(int worker, void *context) {
    struct work *work = context;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint64_t seed = work->seed + (uint64_t)worker * 2;
    if (fd < 0) fail("socket");
    be_patient(fd);
    if (connect(fd, (struct sockaddr *)&work->address, sizeof work->address) < 0) fail("connect");
    if (send(fd, &seed, sizeof seed, MSG_NOSIGNAL) != sizeof seed) fail("send of the seed");
    exchange(fd, seed, seed + 1, (uint64_t)work->mebibytes << 20);
    /* The server closes when it has all of it: what is only on its way is lost with the interface. */
    uint8_t byte;
    if (shutdown(fd, SHUT_WR) < 0 || recv(fd, &byte, 1, 0) != 0) fail("the server did not close");
    close(fd);
}

/* A datagram may be lost, so it is sent again; it may not come back as another. */
static void datagram(struct work *work) {
    static uint8_t bytes[32000], received[32001];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    uint64_t random = work->seed;
    if (fd < 0 || connect(fd, (struct sockaddr *)&work->address, sizeof work->address) < 0) fail("datagram socket");
    for (uint32_t number = 0; number < datagrams; number++) {
        size_t size = 8 + draw(&random, number % 4 ? 1400 : sizeof bytes - 8);
        int tries = 0;
        fill(bytes, size, work->seed, number);
        memcpy(bytes, &number, sizeof number);
        for (;;) {
            if (++tries > 30) fail("datagram %u of %zu bytes does not come back", number, size);
            if (send(fd, bytes, size, 0) != (ssize_t)size) fail("send of a datagram");
            struct pollfd ready = {fd, POLLIN, 0};
            if (poll(&ready, 1, 4000) <= 0) continue;
            ssize_t got = recv(fd, received, sizeof received, 0);
            if (got < 4) fail("recv of a datagram: %zd", got);
            if (memcmp(received, &number, sizeof number)) continue; /* the answer to one sent twice */
            if (got != (ssize_t)size || memcmp(received, bytes, size)) fail("datagram %u came back changed", number);
            break;
        }
    }
    close(fd);
}

int stress_network(const char *address, int count, int mebibytes, uint64_t seed) {
    struct work context = {parse(address), mebibytes, seed};
    datagram(&context);
    return workers(count, talk, &context);
}

static void echo(int fd) {
    static uint8_t bytes[65536];
    for (;;) {
        struct sockaddr_in peer;
        socklen_t length = sizeof peer;
        ssize_t got = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&peer, &length);
        if (got < 0) fail("recvfrom");
        sendto(fd, bytes, (size_t)got, 0, (struct sockaddr *)&peer, length);
    }
}

/* Serves `count` connections, then returns. */
int serve_network(const char *address, int count, int mebibytes, uint64_t seed) {
    struct sockaddr_in here = parse(address);
    int on = 1, failed = 0, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int datagrams_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || datagrams_ < 0) fail("socket");
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) < 0 || listen(listener, 64) < 0) fail("bind %s", address);
    if (bind(datagrams_, (struct sockaddr *)&here, sizeof here) < 0) fail("bind %s for datagrams", address);
    printf("serving %s\n", address);
    fflush(stdout);
    pid_t echoing = fork();
    if (echoing == 0) echo(datagrams_);
    for (int i = 0; i < count; i++) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) fail("accept");
        if (fork() == 0) {
            uint64_t asked;
            be_patient(fd);
            if (recv(fd, &asked, sizeof asked, MSG_WAITALL) != sizeof asked) fail("recv of the seed");
            if (asked - seed > (uint64_t)count * 2) fail("a seed that is not ours");
            exchange(fd, asked + 1, asked, (uint64_t)mebibytes << 20);
            /* The peer's end of file says that it has all. */
            uint8_t more;
            if (recv(fd, &more, 1, 0) != 0) fail("more than was agreed");
            exit(0);
        }
        close(fd);
    }
    for (int i = 0; i < count;) {
        int status;
        pid_t child = wait(&status);
        if (child == echoing) fail("the echo ended");
        if (status != 0) failed++;
        i++;
    }
    kill(echoing, SIGKILL);
    return failed;
}
