/* Closes sockets that workers may hold as well. */
#ifndef ATTLSD_GATEWAY_MONITOR_BOUNDED_CLOSE_H
#define ATTLSD_GATEWAY_MONITOR_BOUNDED_CLOSE_H

/* Make SIGALRM interrupt close(). Returns 0 or a negative errno. */
int bounded_close_init(void);

/* As fd_close(), but it takes a few milliseconds at most. */
void bounded_close(int *fd);

#endif
