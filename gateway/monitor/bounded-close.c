/*
 * The monitor closes each socket that it has passed to a worker. If the worker has
 * already closed it, with SO_LINGER and bytes that the client does not take, close()
 * waits for as long as the worker likes. A signal ends the wait.
 */
#include "gateway/monitor/bounded-close.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
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

void bounded_close(int *fd)
{
	/* again and again, since the first signal may come before close() waits */
	const struct itimerval limit = { .it_value.tv_usec = CLOSE_US, .it_interval.tv_usec = CLOSE_US };
	const struct itimerval none = { .it_value.tv_sec = 0 };

	if (*fd == -1)
		return;
	(void)setitimer(ITIMER_REAL, &limit, NULL);
	fd_close(fd);
	(void)setitimer(ITIMER_REAL, &none, NULL);
}
