/*
 * Reads the monitor's signals from a descriptor, so that nothing is interrupted and each
 * one is handled between two other events.
 */
#include "gateway/monitor/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "gateway/base/audit.h"
#include "gateway/base/util.h"

static void on_ready(struct watch *watch, uint32_t ready)
{
	struct signals *signals = CONTAINER_OF(watch, struct signals, watch);
	struct signalfd_siginfo info;

	(void)ready;
	while (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			audit_event("signal", AUDIT_TEXT("signal", strsignal((int)info.ssi_signo)),
				    AUDIT_NUMBER("sender_uid", info.ssi_uid),
				    AUDIT_NUMBER("sender_pid", info.ssi_pid));
		signals->fn(signals->owner, info.ssi_signo);
	}
}

int signals_open(struct signals *signals, struct loop *loop, void (*fn)(void *owner, uint32_t number),
		 void *owner)
{
	static const int wanted[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };
	sigset_t set;

	*signals = (struct signals){ .loop = loop, .fn = fn, .owner = owner };
	watch_init(&signals->watch, on_ready);
	(void)sigemptyset(&set);
	for (size_t i = 0; i < NELEM(wanted); i++)
		(void)sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return -errno;
	signals->watch.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals->watch.fd == -1)
		return -errno;
	return loop_watch(loop, &signals->watch, EPOLLIN);
}

void signals_close(struct signals *signals)
{
	if (signals->loop == NULL || signals->watch.fd == -1)
		return;
	loop_unwatch(signals->loop, &signals->watch);
	fd_close(&signals->watch.fd);
}
