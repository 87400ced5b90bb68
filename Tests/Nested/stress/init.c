// SPDX-License-Identifier: Apache-2.0
/* The init of a machine that has nothing but devices to load. Its kernel's command line says what to do, one word
 * each; all of it runs at once, and each ends in a line "ok WHAT" or "not ok WHAT" on the console:
 *
 *   stress.block=DEVICE,WORKERS,STEPS     then "sum …" of all of it
 *   stress.readonly=DEVICE                "sum …"; writing must fail
 *   stress.net=INTERFACE,ADDRESS,PEER,CONNECTIONS,MEBIBYTES
 *   stress.figures=DEVICE,INTERFACE,ADDRESS,PEER,MEBIBYTES   how fast they are, see figures.c
 *   stress.mac=INTERFACE,MAC              what it must be
 *   stress.random=BYTES                   from /dev/hwrng
 *   stress.cpus=COUNT                     processors online
 *   stress.registers=WORKERS,MILLISECONDS   vector registers stay whole
 *   stress.memory=MEBIBYTES               written and read again
 */
#define _GNU_SOURCE
#include "pattern.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { seed = 20 };

static void load_modules(void) {
    char line[128], path[160];
    FILE *list = fopen("/modules/load", "r");
    while (list && fscanf(list, "%127s", line) == 1) {
        snprintf(path, sizeof path, "/modules/%s", line);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)) perror(path);
        close(fd);
    }
    if (list) fclose(list);
}

static int block(char *words) {
    char *device = strtok(words, ","), *count = strtok(NULL, ","), *steps = strtok(NULL, ",");
    if (!steps) fail("stress.block");
    int failed = stress_block(device, atoi(count), atoi(steps), seed);
    return failed ? failed : sum_block(device);
}

static int read_only(char *device) {
    static uint8_t bytes[512];
    int fd = open(device, O_RDWR | O_CLOEXEC);
    /* Linux lets it be opened to write when only the driver knows better; the write itself must not pass. */
    if (fd >= 0 && (pwrite(fd, bytes, sizeof bytes, 0) > 0) && fsync(fd) == 0) fail("%s was written", device);
    if (fd >= 0) close(fd);
    return sum_block(device);
}

static void configure(const char *interface, const char *address) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request;
    struct sockaddr_in *place = (struct sockaddr_in *)&request.ifr_addr;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
    place->sin_family = AF_INET;
    if (inet_pton(AF_INET, address, &place->sin_addr) != 1) fail("%s is no address", address);
    if (ioctl(fd, SIOCSIFADDR, &request) < 0) fail("address of %s", interface);
    inet_pton(AF_INET, "255.255.255.0", &place->sin_addr);
    if (ioctl(fd, SIOCSIFNETMASK, &request) < 0) fail("netmask of %s", interface);
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) fail("flags of %s", interface);
    request.ifr_flags |= IFF_UP;
    if (ioctl(fd, SIOCSIFFLAGS, &request) < 0) fail("%s up", interface);
    close(fd);
}

/* Before the machine ends: Linux 6.1 breaks the queues of its virtio devices then, and a packet that virtio_net still has
   to send, an acknowledgement say, goes round in start_xmit for ever. */
static void interfaces_down(void) {
    struct if_nameindex *interfaces = if_nameindex();
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (struct if_nameindex *each = interfaces; each && each->if_name; each++) {
        struct ifreq request;
        memset(&request, 0, sizeof request);
        strncpy(request.ifr_name, each->if_name, IFNAMSIZ - 1);
        if (ioctl(fd, SIOCSIFFLAGS, &request) < 0) printf("stress: %s stays up\n", each->if_name);
    }
    if (interfaces) if_freenameindex(interfaces);
    close(fd);
}

static int network(char *words) {
    char *part[5];
    for (int i = 0; i < 5; i++)
        if (!(part[i] = strtok(i ? NULL : words, ","))) fail("stress.net");
    configure(part[0], part[1]);
    return stress_network(part[2], atoi(part[3]), atoi(part[4]), seed);
}

static void read_line(const char *path, char *line, int size) {
    FILE *file = fopen(path, "r");
    if (!file || !fgets(line, size, file)) fail("%s", path);
    line[strcspn(line, "\n")] = 0;
    fclose(file);
}

/* One after the other: these are to be measured. */
static int figures(char *words) {
    char *part[5];
    for (int i = 0; i < 5; i++)
        if (!(part[i] = strtok(i ? NULL : words, ","))) fail("stress.figures");
    configure(part[1], part[2]);
    return figures_block(part[0], atoi(part[4])) || figures_network(part[3], atoi(part[4]));
}

static int hardware_address(char *words) {
    char path[128], line[64], *interface = strtok(words, ","), *wanted = strtok(NULL, ",");
    if (!wanted) fail("stress.mac");
    snprintf(path, sizeof path, "/sys/class/net/%s/address", interface);
    read_line(path, line, sizeof line);
    if (strcmp(line, wanted)) fail("%s has %s, not %s", interface, line, wanted);
    return 0;
}

static int entropy(char *word) {
    static uint8_t bytes[1 << 16];
    int count = atoi(word), fd = open("/dev/hwrng", O_RDONLY | O_CLOEXEC), ones = 0, taken = 0;
    if (fd < 0) fail("/dev/hwrng");
    while (taken < count) {
        ssize_t got = read(fd, bytes, sizeof bytes < (size_t)(count - taken) ? sizeof bytes : (size_t)(count - taken));
        if (got <= 0) fail("read of /dev/hwrng: %zd", got);
        for (ssize_t i = 0; i < got; i++) ones += __builtin_popcount(bytes[i]);
        taken += (int)got;
    }
    /* Half of the bits, give or take an eighth: for a few hundred bytes a certainty. */
    if (ones < count * 3 || ones > count * 5) fail("%d of %d bits are set", ones, count * 8);
    return 0;
}

static int registers(char *words) {
    char *count = strtok(words, ","), *time = strtok(NULL, ",");
    if (!time) fail("stress.registers");
    return stress_registers(atoi(count), atoi(time));
}

static int processors(char *word) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    if (online != atol(word)) fail("%ld processors, not %s", online, word);
    return 0;
}

static int memory(char *word) {
    size_t size = (size_t)atol(word) << 20, step = 1 << 20;
    uint8_t *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED) fail("mmap of %s MiB", word);
    for (size_t at = 0; at < size; at += step) fill(bytes + at, 4096, seed, at);
    for (size_t at = 0; at < size; at += step)
        if (differ(bytes + at, 4096, seed, at) != 4096) fail("memory at %zu differs", at);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(char *words);
} tasks[] = {{"stress.block=", block}, {"stress.readonly=", read_only}, {"stress.net=", network},
             {"stress.registers=", registers}, {"stress.mac=", hardware_address}, {"stress.figures=", figures}, {"stress.random=", entropy}, {"stress.cpus=", processors},
             {"stress.memory=", memory}};

void init_machine(void) {
    static char line[4096], *words[64];
    pid_t children[64];
    int count = 0;
    mkdir("/proc", 0755), mkdir("/sys", 0755), mkdir("/dev", 0755);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    load_modules();
    read_line("/proc/cmdline", line, sizeof line);
    printf("stress: begins\n");
    fflush(stdout);
    for (char *word = strtok(line, " "); word && count < 64; word = strtok(NULL, " ")) words[count++] = word;
    for (int i = 0; i < count; i++) {
        children[i] = 0;
        for (size_t task = 0; task < sizeof tasks / sizeof *tasks; task++) {
            size_t length = strlen(tasks[task].name);
            if (strncmp(words[i], tasks[task].name, length)) continue;
            if ((children[i] = fork()) == 0) exit(tasks[task].run(words[i] + length) != 0);
        }
    }
    for (;;) {
        int status;
        pid_t child = wait(&status);
        if (child < 0) break;
        for (int i = 0; i < count; i++)
            if (children[i] == child) printf("%s %s\n", status ? "not ok" : "ok", words[i]);
        fflush(stdout);
    }
    printf("stress: ends\n");
    fflush(stdout);
    sync();
    interfaces_down();
    /* With panic=-1 on the command line this ends the machine on every monitor. */
    reboot(RB_AUTOBOOT);
    for (;;) pause();
}
