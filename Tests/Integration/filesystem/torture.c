// SPDX-License-Identifier: Apache-2.0
// What a program in the guest expects of a file system, tried in the directory named by argv[1] and ended
// by one line `passed N failed N`. Run as root. Static, so that it needs nothing of the guest but a kernel.
// Here names, attributes and rights; torture-contents.c has what is in files.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "torture.h"

static int passed, failed;

void check(int ok, const char *text, int line) {
    if (ok) {
        passed++;
    } else {
        failed++;
        printf("line %d: %s (%s)\n", line, text, strerror(errno));
    }
}

void put(const char *path, const char *text) {
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

int holds(const char *path, const char *text) {
    char buffer[256];
    int fd = open(path, O_RDONLY);
    if (fd < 0) return 0;
    ssize_t count = read(fd, buffer, sizeof buffer);
    close(fd);
    return count == (ssize_t)strlen(text) && memcmp(buffer, text, count) == 0;
}

static void names(void) {
    struct stat a, b;
    CHECK(mkdir("d", 0750) == 0);
    CHECK(stat("d", &a) == 0 && S_ISDIR(a.st_mode) && (a.st_mode & 07777) == 0750 && a.st_nlink == 2);
    FAILS(mkdir("d", 0755), EEXIST);
    CHECK(mkdir("d/e", 0755) == 0);
    CHECK(stat("d", &a) == 0 && a.st_nlink == 3);
    FAILS(rmdir("d"), ENOTEMPTY);
    int fd = open("d/f", O_CREAT | O_EXCL | O_RDWR, 0640);
    CHECK(fd >= 0);
    FAILS(open("d/f", O_CREAT | O_EXCL | O_RDWR, 0640), EEXIST);
    CHECK(write(fd, "hello", 5) == 5);
    CHECK(fstat(fd, &a) == 0 && a.st_size == 5 && (a.st_mode & 07777) == 0640);
    CHECK(link("d/f", "d/g") == 0);
    CHECK(stat("d/g", &b) == 0 && b.st_ino == a.st_ino && b.st_nlink == 2);
    CHECK(unlink("d/f") == 0);
    CHECK(fstat(fd, &b) == 0 && b.st_nlink == 1);
    CHECK(rename("d/g", "h") == 0);
    FAILS(stat("d/g", &a), ENOENT);
    CHECK(stat("h", &a) == 0 && a.st_size == 5);
    CHECK(unlink("h") == 0);
    CHECK(fstat(fd, &b) == 0 && b.st_nlink == 0);
    char buffer[16];
    CHECK(pread(fd, buffer, 16, 0) == 5 && memcmp(buffer, "hello", 5) == 0);
    CHECK(pwrite(fd, "HELLO", 5, 5) == 5);
    CHECK(ftruncate(fd, 7) == 0 && fstat(fd, &b) == 0 && b.st_size == 7);
    CHECK(fchmod(fd, 0600) == 0 && fstat(fd, &b) == 0 && (b.st_mode & 07777) == 0600);
    CHECK(fsetxattr(fd, "user.gone", "x", 1, 0) == 0);
    CHECK(fgetxattr(fd, "user.gone", buffer, 16) == 1);
    CHECK(close(fd) == 0);
    CHECK(symlink("../nowhere/at all", "d/link") == 0);
    CHECK(readlink("d/link", buffer, 16) == 16 && memcmp(buffer, "../nowhere/at al", 16) == 0);
    CHECK(lstat("d/link", &a) == 0 && S_ISLNK(a.st_mode) && a.st_size == 17);
    FAILS(open("d/link", O_RDONLY), ENOENT);
    FAILS(open("d/link", O_RDONLY | O_NOFOLLOW), ELOOP);
    struct timespec times[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
    CHECK(utimensat(AT_FDCWD, "d/link", times, AT_SYMLINK_NOFOLLOW) == 0);
    CHECK(lstat("d/link", &a) == 0 && a.st_mtim.tv_sec == 1100000000 && a.st_mtim.tv_nsec == 987654321);
    CHECK(lchown("d/link", 12, 34) == 0 && lstat("d/link", &a) == 0 && a.st_uid == 12 && a.st_gid == 34);
    CHECK(unlink("d/link") == 0);
    char longest[256];
    memset(longest, 'n', 255);
    longest[255] = 0;
    CHECK((fd = open(longest, O_CREAT | O_RDWR, 0600)) >= 0);
    close(fd);
    CHECK(unlink(longest) == 0);
    CHECK(mkfifo("fifo", 0622) == 0 && stat("fifo", &a) == 0 && S_ISFIFO(a.st_mode));
    CHECK(mknod("null", S_IFCHR | 0666, makedev(1, 3)) == 0);
    CHECK(stat("null", &a) == 0 && S_ISCHR(a.st_mode) && a.st_rdev == makedev(1, 3));
    CHECK((fd = open("null", O_RDWR)) >= 0 && write(fd, "x", 1) == 1 && read(fd, buffer, 1) == 0);
    close(fd);
    CHECK(mknod("block", S_IFBLK | 0600, makedev(259, 1000)) == 0);
    CHECK(stat("block", &a) == 0 && S_ISBLK(a.st_mode) && a.st_rdev == makedev(259, 1000));
    if (fork() == 0) {
        fd = open("fifo", O_WRONLY);
        _exit(write(fd, "through", 7) == 7 ? 0 : 1);
    }
    CHECK((fd = open("fifo", O_RDONLY)) >= 0 && read(fd, buffer, 16) == 7);
    close(fd);
    int status;
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(unlink("fifo") == 0 && unlink("null") == 0 && unlink("block") == 0);
    CHECK(rmdir("d/e") == 0 && rmdir("d") == 0);
    FAILS(rmdir("d"), ENOENT);
    FAILS(unlink("nothing"), ENOENT);
}

static void renames(void) {
    put("a", "A");
    put("b", "B");
    FAILS(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), EEXIST);
    CHECK(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE) == 0);
    CHECK(holds("a", "B") && holds("b", "A"));
    int fd = open("b", O_RDONLY);
    CHECK(rename("a", "b") == 0 && holds("b", "B"));
    char one;
    CHECK(read(fd, &one, 1) == 1 && one == 'A');
    struct stat st;
    CHECK(fstat(fd, &st) == 0 && st.st_nlink == 0);
    close(fd);
    CHECK(mkdir("x", 0755) == 0 && mkdir("x/y", 0755) == 0 && mkdir("z", 0755) == 0);
    put("x/y/deep", "D");
    CHECK(rename("x/y", "z/y") == 0 && holds("z/y/deep", "D"));
    FAILS(rename("z", "z/y/z"), EINVAL);
    CHECK(unlink("z/y/deep") == 0 && rmdir("z/y") == 0 && rmdir("z") == 0 && rmdir("x") == 0 && unlink("b") == 0);
}

static void attributes(void) {
    put("x", "");
    char value[256], list[256];
    CHECK(setxattr("x", "user.one", "first", 5, 0) == 0);
    FAILS(setxattr("x", "user.one", "again", 5, XATTR_CREATE), EEXIST);
    FAILS(setxattr("x", "user.two", "again", 5, XATTR_REPLACE), ENODATA);
    CHECK(setxattr("x", "user.two", "", 0, 0) == 0);
    CHECK(getxattr("x", "user.one", value, 256) == 5 && memcmp(value, "first", 5) == 0);
    CHECK(getxattr("x", "user.one", NULL, 0) == 5);
    FAILS(getxattr("x", "user.one", value, 2), ERANGE);
    FAILS(getxattr("x", "user.none", value, 256), ENODATA);
    ssize_t count = listxattr("x", list, 256);
    CHECK(count >= 18 && memmem(list, count, "user.one", 9) && memmem(list, count, "user.two", 9));
    CHECK(removexattr("x", "user.one") == 0);
    FAILS(removexattr("x", "user.one"), ENODATA);
    // user:1000:rw- beside u::rw- g::r-- m::rw- o::r--
    unsigned char acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 6, 0, 0xe8, 3, 0, 0,
                           4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 6, 0, 255, 255, 255, 255,
                           32, 0, 4, 0, 255, 255, 255, 255};
    if (setxattr("x", "system.posix_acl_access", acl, sizeof acl, 0) == 0) {
        CHECK(getxattr("x", "system.posix_acl_access", value, 256) == sizeof acl && memcmp(value, acl, sizeof acl) == 0);
        CHECK(chmod("x", 0660) == 0);
        if (fork() == 0) {
            if (setgid(1000) || setuid(1000)) _exit(2);
            _exit(open("x", O_RDWR) >= 0 ? 0 : 1);
        }
        int status;
        CHECK(wait(&status) > 0 && status == 0);
        if (fork() == 0) {
            if (setgid(1001) || setuid(1001)) _exit(2);
            _exit(open("x", O_RDWR) < 0 && errno == EACCES ? 0 : 1);
        }
        CHECK(wait(&status) > 0 && status == 0);
    } else {
        CHECK(errno == EOPNOTSUPP);
    }
    unsigned char capability[20] = {0, 0, 0, 2, 0, 4};
    CHECK(setxattr("x", "security.capability", capability, 20, 0) == 0);
    CHECK(getxattr("x", "security.capability", value, 256) == 20);
    put("x", "changed");
    FAILS(getxattr("x", "security.capability", value, 256), ENODATA);
    CHECK(unlink("x") == 0);
}

static void owners(void) {
    struct stat st;
    CHECK(mkdir("shared", 0777) == 0 && chmod("shared", 01777) == 0);
    umask(027);
    if (fork() == 0) {
        if (setgroups(0, NULL) || setgid(2000) || setuid(1000)) _exit(2);
        int fd = open("shared/mine", O_CREAT | O_RDWR, 0666);
        if (fd < 0 || fstat(fd, &st) || st.st_uid != 1000 || st.st_gid != 2000 || (st.st_mode & 07777) != 0640) _exit(3);
        if (mkdir("shared/dir", 0777) || stat("shared/dir", &st) || st.st_uid != 1000 || (st.st_mode & 07777) != 0750) _exit(4);
        if (symlink("t", "shared/sym") || lstat("shared/sym", &st) || st.st_uid != 1000) _exit(5);
        if (mkfifo("shared/fifo", 0666) || stat("shared/fifo", &st) || st.st_uid != 1000) _exit(6);
        if (chown("shared/mine", 0, -1) != -1 || errno != EPERM) _exit(7);
        if (chmod("shared/mine", 04755) || stat("shared/mine", &st) || (st.st_mode & 07777) != 04755) _exit(8);
        if (write(fd, "x", 1) != 1 || stat("shared/mine", &st) || (st.st_mode & 07777) != 0755) _exit(9);
        if (chmod("shared/mine", 06755) || ftruncate(fd, 0) || stat("shared/mine", &st) || (st.st_mode & 06000)) _exit(10);
        _exit(0);
    }
    int status;
    CHECK(wait(&status) > 0 && status == 0);
    if (status) printf("owner's child: %d\n", WEXITSTATUS(status));
    // A group that only the guest knows the caller to be in.
    CHECK(mkdir("team", 0770) == 0 && chown("team", 0, 3000) == 0 && chmod("team", 02770) == 0);
    if (fork() == 0) {
        gid_t group = 3000;
        if (setgroups(1, &group) || setgid(1000) || setuid(1000)) _exit(2);
        int fd = open("team/file", O_CREAT | O_RDWR, 0660);
        if (fd < 0 || fstat(fd, &st) || st.st_uid != 1000 || st.st_gid != 3000) _exit(3);
        if (mkdir("team/sub", 0770) || stat("team/sub", &st) || st.st_gid != 3000 || !(st.st_mode & 02000)) _exit(4);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0);
    if (status) printf("member's child: %d\n", WEXITSTATUS(status));
    if (fork() == 0) {
        if (setgroups(0, NULL) || setgid(1001) || setuid(1001)) _exit(2);
        if (open("team/file", O_RDONLY) != -1 || errno != EACCES) _exit(3);
        if (unlink("shared/mine") != -1 || errno != EPERM) _exit(4);
        if (open("shared/mine", O_RDWR) != -1 || errno != EACCES) _exit(5);
        _exit(0);
    }
    CHECK(wait(&status) > 0 && status == 0);
    if (status) printf("stranger's child: %d\n", WEXITSTATUS(status));
    umask(022);
    // Root keeps a set-user-ID bit when it writes, chown drops it.
    int fd = open("suid", O_CREAT | O_RDWR, 0755);
    CHECK(fchmod(fd, 04755) == 0 && write(fd, "x", 1) == 1 && fstat(fd, &st) == 0 && (st.st_mode & 04000));
    CHECK(fchown(fd, 5, 6) == 0 && fstat(fd, &st) == 0 && !(st.st_mode & 04000) && st.st_uid == 5 && st.st_gid == 6);
    close(fd);
    CHECK(unlink("suid") == 0 && system("/bin/busybox rm -rf shared team") == 0);
}

#define ENTRIES 3000
static void many(void) {
    char name[32];
    CHECK(mkdir("many", 0755) == 0);
    for (int i = 0; i < ENTRIES; i++) {
        sprintf(name, "many/entry-%05d", i);
        int fd = open(name, O_CREAT | O_WRONLY, 0644);
        if (fd < 0) { CHECK(fd >= 0); return; }
        close(fd);
    }
    static char seen[ENTRIES];
    int count = 0, dots = 0;
    DIR *dir = opendir("many");
    for (struct dirent *e; (e = readdir(dir));) {
        int i;
        if (e->d_name[0] == '.') dots++;
        else if (sscanf(e->d_name, "entry-%d", &i) == 1 && i >= 0 && i < ENTRIES && !seen[i]++) count++;
    }
    CHECK(count == ENTRIES && dots == 2);
    // Removing while listing misses nothing.
    rewinddir(dir);
    int removed = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        if (e->d_name[0] == '.') continue;
        sprintf(name, "many/%.20s", e->d_name);
        if (unlink(name) == 0) removed++;
    }
    closedir(dir);
    CHECK(removed == ENTRIES);
    CHECK(rmdir("many") == 0);
}

static void escapes(void) {
    struct stat st;
    CHECK(stat("/mnt/../..", &st) == 0);
    CHECK(symlink("/etc/hostname", "absolute") == 0);
    CHECK(symlink("../../../../../../etc/hostname", "relative") == 0);
    // The guest resolves both, in the guest.
    CHECK(open("absolute", O_RDONLY) == -1);
    CHECK(open("relative", O_RDONLY) == -1);
    unlink("absolute");
    unlink("relative");
    struct statfs fs;
    CHECK(statfs(".", &fs) == 0 && fs.f_bsize > 0 && fs.f_blocks > 0 && fs.f_namelen == 255);
}

static void read_only(void) {
    struct stat st;
    char buffer[64];
    CHECK(stat("file", &st) == 0 && st.st_size == 5);
    int fd = open("file", O_RDONLY);
    CHECK(fd >= 0 && read(fd, buffer, 64) == 5);
    close(fd);
    FAILS(open("file", O_RDWR), EROFS);
    FAILS(open("new", O_CREAT | O_RDWR, 0644), EROFS);
    FAILS(open("file", O_RDONLY | O_TRUNC), EROFS);
    FAILS(mkdir("dir2", 0755), EROFS);
    FAILS(unlink("file"), EROFS);
    FAILS(rename("file", "other"), EROFS);
    FAILS(link("file", "other"), EROFS);
    FAILS(symlink("file", "other"), EROFS);
    FAILS(chmod("file", 0600), EROFS);
    FAILS(chown("file", 1, 1), EROFS);
    FAILS(truncate("file", 0), EROFS);
    FAILS(utimensat(AT_FDCWD, "file", NULL, 0), EROFS);
    FAILS(setxattr("file", "user.x", "x", 1, 0), EROFS);
    FAILS(removexattr("file", "user.x"), EROFS);
    FAILS(mknod("other", S_IFREG | 0644, 0), EROFS);
}

int main(int argc, char **argv) {
    if (argc < 2 || chdir(argv[1])) return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    umask(022);
    if (argc > 2) {
        read_only();
    } else {
        names();
        renames();
        attributes();
        owners();
        many();
        escapes();
        contents();
    }
    printf("passed %d failed %d\n", passed, failed);
    return failed != 0;
}
