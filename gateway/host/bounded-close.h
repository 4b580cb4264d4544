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

/*
 * The same of the last packet that this socket takes: later ones fail with EPIPE where they are sent, and
 * those that are in the queue are dropped. Nothing is left for which a close() elsewhere could wait. From
 * then on, epoll reports EPOLLIN and EPOLLRDHUP all the time; EPOLLHUP says that the peer has gone.
 */
ssize_t bounded_receive_last(int fd, void *buf, size_t size);

/* The same around calls of a library, which must try again after EINTR. */
void bounded_begin(void);
void bounded_end(void);

#endif
