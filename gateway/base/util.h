/*
 * The few macros that the whole gateway uses.
 */
#ifndef ATTLSD_GATEWAY_BASE_UTIL_H
#define ATTLSD_GATEWAY_BASE_UTIL_H

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

#endif
