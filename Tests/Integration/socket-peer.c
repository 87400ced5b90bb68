// SPDX-License-Identifier: Apache-2.0
// Both ends of a unix socket, for the suite `sockets`: a server on the host, clients in containers.
//
//   serve PATH        answers each connection when it was half-closed: "uid U gid G bytes N", a line, and the bytes once more
//   datagram PATH     a datagram socket that waits; `packet PATH` one of sequenced packets
//   ask PATH N        sends N bytes, prints the line, checks the rest
//   many PATH N       N connections at once, each as `ask`; prints how many were answered
//   pass PATH         sends a descriptor; prints what becomes of the connection
//   hold PATH         connects, prints "connected", and "ended" when the other end hangs up
#define _GNU_SOURCE // struct ucred
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int opened(const char *path, int type, int listens) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, type, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int failed = listens ? bind(s, (void *)&address, sizeof address) : connect(s, (void *)&address, sizeof address);
    if (!failed && listens && type != SOCK_DGRAM) failed = listen(s, 512);
    if (failed) {
        printf("%s: %s\n", path, strerror(errno));
        exit(1);
    }
    return s;
}

static void put(int s, const unsigned char *bytes, size_t count) {
    while (count) {
        ssize_t n = send(s, bytes, count, MSG_NOSIGNAL);
        if (n <= 0) {
            printf("send: %s\n", strerror(errno));
            exit(1);
        }
        bytes += n;
        count -= n;
    }
}

// all: what comes until the end, at most 64 MiB.
static unsigned char *all(int s, size_t *count) {
    size_t room = 1 << 16;
    unsigned char *bytes = malloc(room);
    *count = 0;
    for (ssize_t n; (n = read(s, bytes + *count, room - *count)) > 0;) {
        *count += n;
        if (*count == room && room < 64 << 20) bytes = realloc(bytes, room *= 2);
    }
    return bytes;
}

static void serve(int listener) {
    for (;;) {
        int s = accept(listener, NULL, NULL);
        if (s < 0) continue;
        while (waitpid(-1, NULL, WNOHANG) > 0) continue;
        if (fork()) {
            close(s);
            continue;
        }
        struct ucred peer;
        socklen_t size = sizeof peer;
        getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &size);
        size_t count;
        unsigned char *bytes = all(s, &count);
        char line[64];
        snprintf(line, sizeof line, "uid %u gid %u bytes %zu\n", peer.uid, peer.gid, count);
        put(s, (void *)line, strlen(line));
        put(s, bytes, count);
        _exit(0);
    }
}

static size_t begin(int s, size_t count, unsigned char *bytes) {
    uint32_t x = 1;
    for (size_t i = 0; i < count; i++) bytes[i] = (x = x * 1664525 + 1013904223) >> 24;
    put(s, bytes, count);
    shutdown(s, SHUT_WR);
    return count;
}

// answered: whether the answer on s is right; prints its line.
static int answered(int s, const unsigned char *bytes, size_t count, int prints) {
    size_t got;
    unsigned char *answer = all(s, &got);
    unsigned char *end = memchr(answer, '\n', got);
    if (!end) {
        printf("no answer\n");
        return 0;
    }
    if (prints) printf("%.*s\n", (int)(end - answer), answer);
    return got - (end + 1 - answer) == count && !memcmp(end + 1, bytes, count);
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 3) return 2;
    const char *verb = argv[1], *path = argv[2];
    size_t count = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    if (!strcmp(verb, "serve")) serve(opened(path, SOCK_STREAM, 1));
    if (!strcmp(verb, "datagram") || !strcmp(verb, "packet")) {
        opened(path, *verb == 'd' ? SOCK_DGRAM : SOCK_SEQPACKET, 1);
        pause();
    }
    if (!strcmp(verb, "many")) {
        int *sockets = calloc(count, sizeof *sockets), good = 0;
        unsigned char bytes[100];
        for (size_t i = 0; i < count; i++) sockets[i] = opened(path, SOCK_STREAM, 0);
        for (size_t i = 0; i < count; i++) begin(sockets[i], sizeof bytes, bytes);
        for (size_t i = 0; i < count; i++) good += answered(sockets[i], bytes, sizeof bytes, 0);
        printf("%d answered\n", good);
        return 0;
    }
    int s = opened(path, SOCK_STREAM, 0);
    if (!strcmp(verb, "ask")) {
        unsigned char *bytes = malloc(count + 1);
        begin(s, count, bytes);
        return !answered(s, bytes, count, 1);
    }
    if (!strcmp(verb, "hold")) {
        char byte;
        printf("connected\n");
        while (read(s, &byte, 1) > 0) continue;
        printf("ended\n");
    }
    if (!strcmp(verb, "pass")) {
        char control[CMSG_SPACE(sizeof(int))] = {0}, byte = 1;
        struct iovec vector = {&byte, 1};
        struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &s, sizeof s);
        sendmsg(s, &message, 0);
        size_t got;
        all(s, &got);
        printf("%zu bytes, ended\n", got);
    }
    return 0;
}
