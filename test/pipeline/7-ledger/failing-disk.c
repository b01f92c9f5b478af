/*
 * A disk that fails, put before libc by LD_PRELOAD: counts the writes to a ledger, its log and the file of kept rows (FILE-shm is memory, no
 * disk) and from the one named in FAIL_AT on does what FAIL_HOW says. Built and used by durability.test.ts.
 *
 *   eio, enospc   FAIL_FOR writes fail with that error, the later ones work again
 *   torn          half of the write is done, then the power goes
 *   lost          every second write is said to be done and is not, until the next sync: then the power goes
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long count;

static int is_ledger(int fd)
{
	char link[64], path[4096];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, sizeof path - 1);
	if (length < 0)
		return 0;
	path[length] = 0;
	const char *name = strrchr(path, '/');
	return name && strstr(name, "ledger.db") && !strstr(name, ".lock") && !strstr(name, "-shm");
}

static long number(const char *name, long otherwise)
{
	const char *text = getenv(name);
	return text ? atol(text) : otherwise;
}

static int how_is(const char *how)
{
	const char *text = getenv("FAIL_HOW");
	return text && strcmp(text, how) == 0;
}

static ssize_t write_or_fail(const char *symbol, int fd, const void *bytes, size_t length, off64_t offset)
{
	ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, symbol);
	if (!is_ledger(fd))
		return real(fd, bytes, length, offset);
	long at = number("FAIL_AT", -1), past = ++count - at;
	if (at < 0 || past < 0)
		return real(fd, bytes, length, offset);
	if (how_is("torn")) {
		real(fd, bytes, length / 2, offset);
		_exit(99);
	}
	if (how_is("lost"))
		return past % 2 == 0 ? (ssize_t)length : real(fd, bytes, length, offset);
	if (past < number("FAIL_FOR", 1)) {
		errno = how_is("enospc") ? ENOSPC : EIO;
		return -1;
	}
	return real(fd, bytes, length, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
	return write_or_fail("pwrite64", fd, bytes, length, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
	return write_or_fail("pwrite64", fd, bytes, length, offset);
}

/* The parts as one: the disk knows of no parts. */
static ssize_t write_parts_or_fail(int fd, const struct iovec *parts, int count, off64_t offset)
{
	static char joined[16 << 20];
	size_t length = 0;
	for (int i = 0; i < count; i++) {
		if (length + parts[i].iov_len > sizeof joined)
			abort();
		memcpy(joined + length, parts[i].iov_base, parts[i].iov_len);
		length += parts[i].iov_len;
	}
	return write_or_fail("pwrite64", fd, joined, length, offset);
}

static ssize_t writev_or_fail(const char *symbol, int fd, const struct iovec *parts, int count, off64_t offset)
{
	if (is_ledger(fd))
		return write_parts_or_fail(fd, parts, count, offset);
	ssize_t (*real)(int, const struct iovec *, int, off64_t) = dlsym(RTLD_NEXT, symbol);
	return real(fd, parts, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
	return writev_or_fail("pwritev64", fd, parts, count, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
	return writev_or_fail("pwritev", fd, parts, count, offset);
}

static int sync_or_fail(const char *symbol, int fd)
{
	int (*real)(int) = dlsym(RTLD_NEXT, symbol);
	if (is_ledger(fd) && how_is("lost") && number("FAIL_AT", -1) >= 0 && count >= number("FAIL_AT", -1))
		_exit(99);
	return real(fd);
}

int fsync(int fd)
{
	return sync_or_fail("fsync", fd);
}

int fdatasync(int fd)
{
	return sync_or_fail("fdatasync", fd);
}
