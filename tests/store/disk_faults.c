/* LD_PRELOAD: the disk fails for files whose path begins with DISK_FAULT_PREFIX, as the file DISK_FAULT_CONTROL says:
   full, readonly, write, sync, or nothing. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int fault(int fd, const char *name) {
    const char *prefix = getenv("DISK_FAULT_PREFIX"), *control = getenv("DISK_FAULT_CONTROL");
    char link[64], path[4096], said[16] = "";
    if (!prefix || !control) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    if (strncmp(path, prefix, strlen(prefix))) return 0;
    int in = syscall(SYS_openat, AT_FDCWD, control, O_RDONLY);
    if (in < 0) return 0;
    n = syscall(SYS_read, in, said, sizeof said - 1);
    syscall(SYS_close, in);
    return n > 0 && !strncmp(said, name, strlen(name));
}

static ssize_t write_at(int fd, const void *data, size_t size, off64_t at) {
    int error = fault(fd, "full") ? ENOSPC : fault(fd, "readonly") ? EROFS : fault(fd, "write") ? EIO : 0;
    if (error) { errno = error; return -1; }
    return syscall(SYS_pwrite64, fd, data, size, at);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return write_at(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return write_at(fd, data, size, at); }

int fsync(int fd) {
    if (fault(fd, "sync")) { errno = EIO; return -1; }
    return syscall(SYS_fsync, fd);
}
int fdatasync(int fd) {
    if (fault(fd, "sync")) { errno = EIO; return -1; }
    return syscall(SYS_fdatasync, fd);
}
