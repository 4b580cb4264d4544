/*
 * What the whole gateway uses.
 */
#ifndef ATTLSD_GATEWAY_BASE_UTIL_H
#define ATTLSD_GATEWAY_BASE_UTIL_H

#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#define NELEM(array) (sizeof(array) / sizeof((array)[0]))

/* The object that embeds `ptr` as its `member`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Close and set to -1; -1 is fine. Nothing can be done about an error of close(). */
static inline void fd_close(int *fd)
{
	if (*fd != -1)
		(void)close(*fd);
	*fd = -1;
}

/* Move a descriptor out of a variable. */
static inline int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Read until the end or until `size` bytes are there. Returns how many, or a negative errno. */
static inline ssize_t fd_read_all(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n = 1;

	while (n != 0 && len < size) {
		n = read(fd, buf + len, size - len);
		if (n > 0)
			len += (size_t)n;
		else if (n == -1 && errno != EINTR)
			return -errno;
	}
	return (ssize_t)len;
}

#endif
