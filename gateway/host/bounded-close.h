/* Closes sockets that workers may hold as well, and descriptors that others have passed. */
#ifndef ATTLSD_GATEWAY_HOST_BOUNDED_CLOSE_H
#define ATTLSD_GATEWAY_HOST_BOUNDED_CLOSE_H

#include <stddef.h>
#include <sys/types.h>

/* Make SIGALRM interrupt what follows. Returns 0 or a negative errno. */
int bounded_close_init(void);

/* As fd_close(), but it takes a few milliseconds at most. */
void bounded_close(int *fd);

/* recv() with MSG_TRUNC of a UNIX socket, in as little time. The kernel closes passed descriptors. */
ssize_t bounded_receive(int fd, void *buf, size_t size);

/* The same around calls of a library, which must try again after EINTR. */
void bounded_begin(void);
void bounded_end(void);

#endif
