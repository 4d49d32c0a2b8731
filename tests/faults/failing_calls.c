/* Calls of the file system that fail when a test says so.

   Preloaded into a process: once `faults_begin` was called, calls on paths that begin with `prefix` are counted, and
   number `at` (with `lasting`, all from there on) fails with the error `code`. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static char prefix[4096], calls[1 << 20];
static long count, length, fail_at;
static int fail_code, fail_lasting;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void faults_begin(const char *path, long at, int code, int lasting) {
  count = length = 0;
  calls[0] = 0;
  fail_at = at;
  fail_code = code;
  fail_lasting = lasting;
  snprintf(prefix, sizeof prefix, "%s", path);
}

/* The calls since faults_begin, a line each: kind and rest of the path. None fails from now on. */
const char *faults_end(void) {
  prefix[0] = 0;
  return calls;
}

static int refused(const char *call, const char *path) {
  if (!prefix[0] || !path || strncmp(path, prefix, strlen(prefix))) return 0;
  pthread_mutex_lock(&lock);
  long now = ++count;
  if (length < (long)sizeof calls - 5000) length += sprintf(calls + length, "%s %s\n", call, path + strlen(prefix));
  pthread_mutex_unlock(&lock);
  if (!fail_at || (fail_lasting ? now < fail_at : now != fail_at)) return 0;
  errno = fail_code;
  return 1;
}

static int refused_at(const char *call, int descriptor) {
  char link[64], path[4096];
  int before = errno;
  if (!prefix[0]) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t size = readlink(link, path, sizeof path - 1);
  errno = before;
  if (size < 0) return 0;
  path[size] = 0;
  return refused(call, path);
}

#define REAL(result, name, ...) \
  static result (*real)(__VA_ARGS__); \
  if (!real) real = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list rest; va_start(rest, flags); int mode = va_arg(rest, int); va_end(rest); \
    REAL(int, name, const char *, int, ...); \
    return refused("open", path) ? -1 : real(path, flags, mode); }
#define OPENAT(name) \
  int name(int folder, const char *path, int flags, ...) { \
    va_list rest; va_start(rest, flags); int mode = va_arg(rest, int); va_end(rest); \
    REAL(int, name, int, const char *, int, ...); \
    return refused("open", path) ? -1 : real(folder, path, flags, mode); }
#define FOPEN(name) \
  FILE *name(const char *path, const char *mode) { \
    REAL(FILE *, name, const char *, const char *); \
    return refused("open", path) ? NULL : real(path, mode); }
#define STAT(name, buffer) \
  int name(const char *path, struct buffer *about) { \
    REAL(int, name, const char *, struct buffer *); \
    return refused("stat", path) ? -1 : real(path, about); }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)

DIR *opendir(const char *path) {
  REAL(DIR *, opendir, const char *);
  return refused("list", path) ? NULL : real(path);
}

ssize_t read(int descriptor, void *buffer, size_t size) {
  REAL(ssize_t, read, int, void *, size_t);
  return refused_at("read", descriptor) ? -1 : real(descriptor, buffer, size);
}

ssize_t pread64(int descriptor, void *buffer, size_t size, off64_t offset) {
  REAL(ssize_t, pread64, int, void *, size_t, off64_t);
  return refused_at("read", descriptor) ? -1 : real(descriptor, buffer, size, offset);
}

ssize_t write(int descriptor, const void *buffer, size_t size) {
  REAL(ssize_t, write, int, const void *, size_t);
  return refused_at("write", descriptor) ? -1 : real(descriptor, buffer, size);
}

size_t fwrite(const void *buffer, size_t size, size_t items, FILE *stream) {
  REAL(size_t, fwrite, const void *, size_t, size_t, FILE *);
  return prefix[0] && refused_at("write", fileno(stream)) ? 0 : real(buffer, size, items, stream);
}

int fflush(FILE *stream) {
  REAL(int, fflush, FILE *);
  return prefix[0] && stream && refused_at("write", fileno(stream)) ? EOF : real(stream);
}

int fsync(int descriptor) {
  REAL(int, fsync, int);
  return refused_at("fsync", descriptor) ? -1 : real(descriptor);
}

int rename(const char *from, const char *to) {
  REAL(int, rename, const char *, const char *);
  return refused("rename", to) ? -1 : real(from, to);
}

int mkdir(const char *path, mode_t mode) {
  REAL(int, mkdir, const char *, mode_t);
  return refused("mkdir", path) ? -1 : real(path, mode);
}

int unlink(const char *path) {
  REAL(int, unlink, const char *);
  return refused("unlink", path) ? -1 : real(path);
}
