/*
 * The monitor closes each socket that it has passed to a worker. If the worker has
 * already closed it, with SO_LINGER and bytes that the client does not take, close()
 * waits for as long as the worker likes. So does the end of a descriptor that somebody
 * has passed on a UNIX socket, when the packet is received or the socket is closed. A
 * signal ends the wait. Workers cannot set one, so no such packet may reach them.
 */
#include "gateway/host/bounded-close.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "gateway/base/util.h"

#define CLOSE_US 5000

static void on_alarm(int signal)
{
	(void)signal;
}

int bounded_close_init(void)
{
	struct sigaction action = { .sa_handler = on_alarm }; /* without SA_RESTART */
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	if (sigaction(SIGALRM, &action, NULL) == -1 || sigprocmask(SIG_UNBLOCK, &set, NULL) == -1)
		return -errno;
	return 0;
}

/* Signals come again and again, since the first may come before the wait. */
static void set_alarms(suseconds_t us)
{
	const struct itimerval limit = { .it_value.tv_usec = us, .it_interval.tv_usec = us };

	(void)setitimer(ITIMER_REAL, &limit, NULL); /* cannot fail */
}

void bounded_begin(void)
{
	set_alarms(CLOSE_US);
}

void bounded_end(void)
{
	set_alarms(0);
}

void bounded_close(int *fd)
{
	if (*fd == -1)
		return;
	bounded_begin();
	fd_close(fd);
	bounded_end();
}

ssize_t bounded_receive(int fd, void *buf, size_t size)
{
	ssize_t n;
	int error;

	bounded_begin();
	n = recv(fd, buf, size, MSG_TRUNC);
	error = errno;
	bounded_end();
	errno = error;
	return n;
}

/* Returns false if the queue is empty. Only a packet has a sender: without one, 0 bytes are the end. */
static bool drop_packet(int fd)
{
	char sender[CMSG_SPACE(sizeof(struct ucred))];
	struct msghdr header = { .msg_control = sender, .msg_controllen = sizeof(sender) };
	ssize_t n;

	bounded_begin();
	n = recvmsg(fd, &header, MSG_DONTWAIT);
	bounded_end();
	return n != -1 && header.msg_controllen > 0;
}

ssize_t bounded_receive_last(int fd, void *buf, size_t size)
{
	ssize_t n = bounded_receive(fd, buf, size);

	if (n == -1)
		return n;
	(void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)); /* cannot fail, */
	(void)shutdown(fd, SHUT_RD);						 /* nor can this */
	while (drop_packet(fd))
		;
	return n;
}
