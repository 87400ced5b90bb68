// SPDX-License-Identifier: Apache-2.0
// What the parts of the torture test share.
#include <errno.h>

// Counts what holds, and prints what does not.
void check(int ok, const char *text, int line);
#define CHECK(e) check((e) ? 1 : 0, #e, __LINE__)
#define FAILS(e, number) check((errno = 0, (e)) == -1 && errno == (number), #e " fails with " #number, __LINE__)

// Writes a file.
void put(const char *path, const char *text);
// Whether a file has this text and no more.
int holds(const char *path, const char *text);

// torture-contents.c: all of it.
void contents(void);
