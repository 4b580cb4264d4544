/*
 * Tells systemd when attlsd serves, reloads and stops, so that `systemctl start` and
 * `systemctl reload` fail when attlsd does, and units that need it wait for it. The
 * protocol is a datagram, so libsystemd is not needed.
 */
#include "gateway/monitor/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/util.h"

#define STATUS_REFRESH_MS 10000

static void say(const struct notify *notify, const char *text)
{
	if (notify->fd != -1) /* lost if the manager has gone or is busy: no reason to stop serving */
		(void)send(notify->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void say_status(const struct notify *notify)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "STATUS=%zu session%s, generation %" PRIu64, *notify->nsessions,
		       *notify->nsessions == 1 ? "" : "s", *notify->generation);
	say(notify, text);
}

static void on_refresh(struct timer *timer)
{
	struct notify *notify = CONTAINER_OF(timer, struct notify, refresh);

	say_status(notify);
	(void)loop_timer(notify->loop, timer, STATUS_REFRESH_MS); /* without memory the line grows old */
}

static void on_watchdog(struct timer *timer)
{
	struct notify *notify = CONTAINER_OF(timer, struct notify, watchdog);

	say(notify, "WATCHDOG=1");
	(void)loop_timer(notify->loop, timer, notify->watchdog_ms); /* without memory, a restart is due */
}

/* The value of a variable, which no child inherits from now on; 0: it is not a number. */
static uint64_t take_number(const char *name)
{
	const char *text = getenv(name);
	uint64_t number = text != NULL && text[0] >= '0' && text[0] <= '9' ? strtoull(text, NULL, 10) : 0;

	(void)unsetenv(name);
	return number;
}

/* sd_watchdog_enabled(3): half of the interval, if it is meant for this process. */
static void start_watchdog(struct notify *notify)
{
	uint64_t pid = take_number("WATCHDOG_PID");
	uint64_t usec = take_number("WATCHDOG_USEC");

	notify->watchdog_ms = usec / 2000;
	if (usec == 0 || notify->fd == -1 || (pid != 0 && pid != (uint64_t)getpid()))
		return;
	if (notify->watchdog_ms == 0)
		notify->watchdog_ms = 1;
	on_watchdog(&notify->watchdog);
}

void notify_open(struct notify *notify, struct loop *loop, const size_t *nsessions,
		 const uint64_t *generation)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path == NULL ? 0 : strlen(path);

	*notify = (struct notify){ .fd = -1, .loop = loop, .nsessions = nsessions, .generation = generation };
	timer_init(&notify->refresh, on_refresh);
	timer_init(&notify->watchdog, on_watchdog);
	if (len < 2 || len > sizeof(address.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(address.sun_path, path, len);
	if (*path == '@') /* an abstract name */
		address.sun_path[0] = '\0';
	(void)unsetenv("NOTIFY_SOCKET");
	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (notify->fd != -1 && connect(notify->fd, (const struct sockaddr *)&address,
					(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == -1)
		fd_close(&notify->fd);
	start_watchdog(notify);
}

void notify_ready(struct notify *notify)
{
	if (notify->fd == -1)
		return;
	say(notify, "READY=1");
	on_refresh(&notify->refresh);
}

void notify_reloading(const struct notify *notify)
{
	char text[80];
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		       (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	say(notify, text);
}

bool notify_has_manager(const struct notify *notify)
{
	return notify->fd != -1;
}

void notify_stopping(struct notify *notify)
{
	say(notify, "STOPPING=1");
}

void notify_close(struct notify *notify)
{
	if (notify->fd == -1)
		return;
	loop_timer_stop(notify->loop, &notify->refresh);
	loop_timer_stop(notify->loop, &notify->watchdog);
	fd_close(&notify->fd);
}
