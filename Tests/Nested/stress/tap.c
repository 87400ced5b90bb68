// SPDX-License-Identifier: Apache-2.0
/* A shell cannot attach a tap: this does, on the descriptor of the number given, and becomes the command. */
#define _GNU_SOURCE
#include "pattern.h"
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int with_tap(const char *name, const char *number, char **command) {
    struct ifreq request;
    int fd = open("/dev/net/tun", O_RDWR);
    if (fd < 0) fail("/dev/net/tun");
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    if (ioctl(fd, TUNSETIFF, &request) < 0) fail("TUNSETIFF %s", name);
    if (fd != atoi(number)) {
        if (dup2(fd, atoi(number)) < 0) fail("dup2");
        close(fd);
    }
    execvp(command[0], command);
    fail("%s", command[0]);
}
