/*
 * Opens and closes the shared passive ports, and accepts their connections. They are in
 * the loop's slow lane, so a flood of strangers delays no control connection.
 */
#include "gateway/monitor/shared-ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/net/netsock.h"

/* All clients share one queue: a burst of them must fit. */
#define BACKLOG 1024
/* Connections accepted in one turn. */
#define ACCEPT_BATCH 32
/* The same when a plan ends. If strangers fill the queue, the rest comes late. */
#define LOOK_BATCH 128
/* Out of descriptors: try again after this time. */
#define PAUSE_MS 100

static void set_watch(struct shared_ports *ports, bool on)
{
	struct shared_port *port;
	int r = 0;

	DL_FOREACH (ports->head, port)
		if (loop_watch(ports->loop, &port->watch, on ? EPOLLIN : 0) < 0)
			r = -ENOMEM;
	if (r < 0)
		(void)loop_timer(ports->loop, &ports->pause, PAUSE_MS); /* its place is there */
}

static void on_pause(struct timer *timer)
{
	struct shared_ports *ports = CONTAINER_OF(timer, struct shared_ports, pause);

	set_watch(ports, ports->accepts);
}

/* Accepts at most `max` connections. */
static void take(struct shared_port *port, int max)
{
	struct shared_ports *ports = port->owner;
	struct ip_endpoint peer;

	for (int i = 0; i < max; i++) {
		int fd = netsock_accept(port->watch.fd, &peer);

		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
			log_event(LOG_LEVEL_ERROR, "accept-paused", LOG_TEXT("error", strerror(-fd)));
			set_watch(ports, false);
			(void)loop_timer(ports->loop, &ports->pause, PAUSE_MS); /* its place is there */
			return;
		}
		if (fd == -EAGAIN)
			return;
		if (fd >= 0) /* otherwise, this connection failed while it waited */
			ports->on_connection(port, &fd, &peer);
	}
}

static void on_port(struct watch *watch, uint32_t ready)
{
	(void)ready;
	take(CONTAINER_OF(watch, struct shared_port, watch), ACCEPT_BATCH);
}

void shared_ports_look(struct shared_port *port)
{
	if (port->owner->accepts)
		take(port, LOOK_BATCH);
}

void shared_ports_init(struct shared_ports *ports, struct loop *loop, data_connection_fn *on_connection,
		       void (*on_close)(struct shared_port *port))
{
	*ports = (struct shared_ports){ .loop = loop, .on_connection = on_connection, .on_close = on_close };
	timer_init(&ports->pause, on_pause);
}

static struct shared_port *find(const struct shared_ports *ports, const struct ip_endpoint *endpoint)
{
	struct shared_port *port;

	DL_FOREACH (ports->head, port)
		if (ip_endpoint_equal(&port->endpoint, endpoint))
			return port;
	return NULL;
}

int shared_ports_adopt(struct shared_ports *ports, const struct ip_endpoint *endpoint, int *fd)
{
	struct shared_port *port, *other;
	size_t n;
	int r = 0;

	DL_COUNT(ports->head, other, n);
	if (n >= SHARED_PORTS_OPEN_MAX)
		return -EMFILE;
	port = calloc(1, sizeof(*port));
	if (port == NULL)
		return -ENOMEM;
	watch_init(&port->watch, on_port);
	port->watch.bulk = true;
	port->watch.fd = *fd;
	port->endpoint = *endpoint;
	port->id = ++ports->last;
	port->owner = ports;
	if (ports->accepts)
		r = loop_watch(ports->loop, &port->watch, EPOLLIN);
	if (r < 0) {
		free(port);
		return r;
	}
	*fd = -1;
	DL_APPEND(ports->head, port);
	return 0;
}

static int open_one(struct shared_ports *ports, const struct ip_endpoint *endpoint)
{
	int fd = netsock_listen(endpoint, BACKLOG, false);
	int r;

	if (fd < 0)
		return fd;
	netsock_reset_on_close(fd); /* of connections that nobody waits for, or whose worker dies */
	r = shared_ports_adopt(ports, endpoint, &fd);
	fd_close(&fd);
	return r;
}

static const char *fix_for(int r)
{
	switch (r) {
	case -EADDRINUSE:
		return "another program uses this port (ss -tnap shows which): stop it, or change "
		       "passivedataports";
	case -EMFILE:
		return "sessions of earlier policies still use their ports: let them end, then reload again";
	default:
		return "none known; see the error";
	}
}

int shared_ports_open(struct shared_ports *ports, const struct policy *policy)
{
	struct ip_endpoint wanted[SHARED_SOCKETS_MAX];
	size_t n = policy_shared_ports(policy, wanted, NELEM(wanted)); /* policy_parse() allows no more */
	char text[IP_TEXT_MAX];

	for (size_t i = 0; i < n && i < NELEM(wanted); i++) {
		int r = find(ports, &wanted[i]) != NULL ? 0 : open_one(ports, &wanted[i]);

		if (r == 0)
			continue;
		log_event(LOG_LEVEL_ERROR, "no-shared-port",
			  LOG_TEXT("address", ip_endpoint_format(&wanted[i], text)),
			  LOG_TEXT("error", strerror(-r)), LOG_TEXT("fix", fix_for(r)));
		return r;
	}
	return 0;
}

void shared_ports_accept(struct shared_ports *ports, bool on)
{
	ports->accepts = on;
	loop_timer_stop(ports->loop, &ports->pause);
	set_watch(ports, on);
}

void shared_ports_unmark(struct shared_ports *ports)
{
	struct shared_port *port;

	DL_FOREACH (ports->head, port)
		port->wanted = false;
}

void shared_ports_mark(struct shared_ports *ports, const struct policy *policy)
{
	struct ip_endpoint wanted[SHARED_SOCKETS_MAX];
	size_t n = policy_shared_ports(policy, wanted, NELEM(wanted));

	for (size_t i = 0; i < n && i < NELEM(wanted); i++) {
		struct shared_port *port = find(ports, &wanted[i]);

		if (port != NULL)
			port->wanted = true;
	}
}

void shared_ports_close_unwanted(struct shared_ports *ports)
{
	struct shared_port *port, *next;

	DL_FOREACH_SAFE(ports->head, port, next)
	{
		if (port->wanted)
			continue;
		ports->on_close(port);
		loop_unwatch(ports->loop, &port->watch);
		fd_close(&port->watch.fd);
		DL_DELETE(ports->head, port);
		free(port);
	}
}
