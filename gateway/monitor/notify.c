/*
 * Tells systemd when attlsd serves, reloads and stops, so that `systemctl start` and
 * `systemctl reload` fail when attlsd does, and units that need it wait for it. The
 * protocol is a datagram, so libsystemd is not needed.
 */
#include "gateway/monitor/notify.h"

#include <errno.h>
#include <fcntl.h>
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
	if (notify_has_manager(
		notify)) /* lost if the manager has gone or is busy: no reason to stop serving */
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

void notify_adopt(struct notify *notify, struct loop *loop, const size_t *nsessions,
		  const uint64_t *generation, int *fd, uint64_t watchdog_ms)
{
	*notify = (struct notify){
		.fd = fd_take(fd),
		.loop = loop,
		.nsessions = nsessions,
		.generation = generation,
		.watchdog_ms = watchdog_ms,
		.silent = true,
	};
	timer_init(&notify->refresh, on_refresh);
	timer_init(&notify->watchdog, on_watchdog);
}

void notify_speak(struct notify *notify)
{
	if (notify->fd == -1)
		return;
	notify->silent = false;
	notify_ready(notify);
	if (notify->watchdog_ms > 0)
		on_watchdog(&notify->watchdog);
}

/* sd_notify_barrier(3): the manager closes the descriptor after it has read what came before. */
static int send_barrier(const struct notify *notify, int fd)
{
	static char text[] = "BARRIER=1";
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .bytes = { 0 } };
	struct iovec vector = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct msghdr header = { .msg_iov = &vector,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control) };

	control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
					   .cmsg_level = SOL_SOCKET,
					   .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(notify->fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) == -1 ? -errno : 0;
}

int notify_move(struct notify *notify, pid_t pid)
{
	int ends[2] = { -1, -1 };
	char text[40];
	int r = pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1 ? -errno : 0;

	(void)snprintf(text, sizeof(text), "MAINPID=%d", (int)pid);
	if (r == 0 && send(notify->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		r = -errno;
	if (r == 0)
		r = send_barrier(notify, ends[1]);
	fd_close(&ends[1]);
	if (r < 0)
		fd_close(&ends[0]);
	return ends[0];
}

void notify_ready(struct notify *notify)
{
	if (!notify_has_manager(notify))
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
	return notify->fd != -1 && !notify->silent;
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
