// SPDX-License-Identifier: Apache-2.0
/* stress: loads a device and checks every byte. As PID 1 it is the init of a machine of its own, see init.c. */
#include "pattern.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usage(void) {
    fputs("stress files DIRECTORY WORKERS STEPS SEED\n"
          "stress verify DIRECTORY\n"
          "stress block DEVICE WORKERS STEPS SEED\n"
          "stress sum DEVICE\n"
          "stress network ADDRESS CONNECTIONS MEBIBYTES SEED\n"
          "stress figures ADDRESS MEBIBYTES\n"
          "stress tap NAME DESCRIPTOR COMMAND...\n"
          "stress serve ADDRESS CONNECTIONS MEBIBYTES SEED\n",
          stderr);
    return 2;
}

int main(int count, char **words) {
    if (getpid() == 1 && count > 0 && !strcmp(words[0], "/init")) init_machine();
    if (count > 4 && !strcmp(words[1], "tap")) return with_tap(words[2], words[3], words + 4);
    if (count == 3 && !strcmp(words[1], "verify")) return verify_files(words[2]);
    if (count == 3 && !strcmp(words[1], "sum")) return sum_block(words[2]);
    if (count == 4 && !strcmp(words[1], "figures")) return figures_serve(words[2], atoi(words[3]));
    if (count != 6) return usage();
    int workers = atoi(words[3]), amount = atoi(words[4]), failed;
    uint64_t seed = strtoull(words[5], NULL, 10);
    if (workers < 1 || workers > 64 || amount < 1) return usage();
    if (!strcmp(words[1], "files")) failed = stress_files(words[2], workers, amount, seed);
    else if (!strcmp(words[1], "block")) failed = stress_block(words[2], workers, amount, seed);
    else if (!strcmp(words[1], "network")) failed = stress_network(words[2], workers, amount, seed);
    else if (!strcmp(words[1], "serve")) failed = serve_network(words[2], workers, amount, seed);
    else return usage();
    printf("%s: %d of %d failed\n", words[1], failed, workers);
    return failed != 0;
}
