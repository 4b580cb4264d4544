/*
 * What a service manager is told: systemd's notification protocol (sd_notify(3)), which is
 * one datagram of KEY=VALUE lines to the socket that NOTIFY_SOCKET names.
 *
 * Without NOTIFY_SOCKET, nothing happens. Nothing here waits: a datagram that the
 * manager has no room for is lost.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_NOTIFY_H
#define ATTLSD_GATEWAY_MONITOR_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/loop.h"

struct notify {
	int fd; /* connected to the manager's socket, or -1 */
	struct loop *loop;
	struct timer refresh; /* of the status line */
	struct timer watchdog;
	uint64_t watchdog_ms; /* 0: the manager expects no sign of life */
	const size_t *nsessions;
	const uint64_t *generation;
	bool silent; /* another process speaks to the manager, see notify_adopt() */
};

/*
 * Connect to the manager. Call it with the privileges of the start. Takes
 * NOTIFY_SOCKET from the environment, so that no child speaks for attlsd. If the manager
 * wants signs of life (WATCHDOG_USEC), it gets them from the loop.
 * The status line for `systemctl status` shows the two numbers, which it looks at now and then.
 */
void notify_open(struct notify *notify, struct loop *loop, const size_t *nsessions,
		 const uint64_t *generation);

/* attlsd serves; also the end of a reload, whether it succeeded or not. */
void notify_ready(struct notify *notify);

/* A reload begins. It carries the time that Type=notify-reload demands (systemd 253). */
void notify_reloading(const struct notify *notify);

/*
 * The same for a socket and an interval that another attlsd has had; it closes the descriptor in
 * the end. Nothing is said before notify_speak(), since the manager listens to one process.
 */
void notify_adopt(struct notify *notify, struct loop *loop, const size_t *nsessions,
		  const uint64_t *generation, int *fd, uint64_t watchdog_ms);
void notify_speak(struct notify *notify);

/*
 * Tell the manager that another process is the main one from now on. Returns a descriptor that
 * ends (EPOLLHUP) when the manager has read this, or -1: it was not sent.
 */
int notify_move(struct notify *notify, pid_t pid);

/* Is there a manager, which listens to this process? */
bool notify_has_manager(const struct notify *notify);

/* attlsd drains. */
void notify_stopping(struct notify *notify);

void notify_close(struct notify *notify);

#endif
