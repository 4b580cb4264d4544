/*
 * Collects what a monitor hands on, and puts it into its places in the next one. Keys go
 * through sealed memory only. Records are of another version perhaps, so each is checked.
 */
#include "gateway/monitor/heritage.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "gateway/base/handover-link.h"
#include "gateway/base/util.h"

/* The first message was sent before this process began. */
#define RECEIVE_MS 5000

/* --- the monitor that hands on --- */

#define DESCRIPTORS_MAX 512
#define SOCKETS_MAX	(DESCRIPTORS_MAX - OLDER_MAX - 1)

struct parcel {
	struct handover_writer writer;
	int fds[DESCRIPTORS_MAX];
	size_t nfds;
	struct handover_socket sockets[SOCKETS_MAX];
	size_t nsockets;
	int error;
};

static struct handover_socket *put_socket(struct parcel *parcel, enum handover_purpose purpose, int fd)
{
	static struct handover_socket none; /* what is written here is not sent */

	if (fd == -1)
		return &none;
	if (parcel->nsockets == SOCKETS_MAX) {
		parcel->error = -E2BIG;
		return &none;
	}
	parcel->sockets[parcel->nsockets] = (struct handover_socket){
		.purpose = purpose,
		.descriptor = (uint32_t)parcel->nfds,
	};
	parcel->fds[parcel->nfds++] = fd;
	return &parcel->sockets[parcel->nsockets++];
}

static void put_endpoint(struct handover_socket *record, const struct ip_endpoint *endpoint)
{
	record->family = (uint16_t)(endpoint->addr.family == IP_V4   ? 4
				    : endpoint->addr.family == IP_V6 ? 6
								     : 0);
	record->port = endpoint->port;
	memcpy(record->address, endpoint->addr.bytes, sizeof(record->address));
}

_Static_assert(sizeof(((struct handover_socket *)0)->name) == INHERITED_NAME_MAX, "a name fits");

static void put_file(struct handover_socket *record, const struct ctl_socket *sock)
{
	_Static_assert(sizeof(record->path) > sizeof(sock->path), "a path fits");
	memcpy(record->path, sock->path, sizeof(sock->path));
	record->activated = sock->activated;
	record->dev = sock->dev;
	record->ino = sock->ino;
}

static void put_http(struct parcel *parcel, enum handover_purpose purpose, const struct http_listen *listen)
{
	struct handover_socket *record = put_socket(parcel, purpose, listen->fd);

	put_endpoint(record, &listen->endpoint);
	put_file(record, &listen->sock);
	record->activated = listen->activated;
}

static void put_sockets(struct parcel *parcel, const struct monitor *monitor)
{
	const struct shared_port *port;
	struct handover_socket *record;

	for (size_t i = 0; i < monitor->listeners.n; i++) {
		const struct listener *listener = &monitor->listeners.items[i];

		record = put_socket(parcel, HANDOVER_FOR_LISTENER, listener->watch.fd);
		put_endpoint(record, &listener->endpoint);
		record->activated = listener->activated;
		memcpy(record->name, listener->name, sizeof(listener->name));
	}
	for (size_t i = 0; i < monitor->activated.n; i++) {
		record = put_socket(parcel, HANDOVER_FOR_ACTIVATED, monitor->activated.items[i].fd);
		memcpy(record->name, monitor->activated.items[i].name, sizeof(record->name));
	}
	DL_FOREACH (monitor->share.ports.head, port)
		put_endpoint(put_socket(parcel, HANDOVER_FOR_SHARED_PORT, port->watch.fd), &port->endpoint);
	put_file(put_socket(parcel, HANDOVER_FOR_CONTROL, monitor->ctl_server.sock.fd),
		 &monitor->ctl_server.sock);
	put_http(parcel, HANDOVER_FOR_HTTP, &monitor->http.sockets[HTTP_PAGES].listen);
	put_http(parcel, HANDOVER_FOR_AGENT, &monitor->http.sockets[HTTP_AGENT].listen);
	if (monitor->http.charts >= 0)
		(void)put_socket(parcel, HANDOVER_FOR_CHARTS, monitor->http.charts);
	if (notify_has_manager(&monitor->notify))
		(void)put_socket(parcel, HANDOVER_FOR_NOTIFY, monitor->notify.fd);
	handover_write(&parcel->writer, HANDOVER_SOCKETS, parcel->sockets, sizeof(parcel->sockets[0]),
		       parcel->nsockets);
}

static void put_older(struct parcel *parcel, const struct monitor *monitor)
{
	const struct older *older;

	DL_FOREACH (monitor->older.head, older) {
		struct handover_older record = older->facts;

		record.descriptor = (uint32_t)parcel->nfds;
		parcel->fds[parcel->nfds++] = older->link.fd;
		handover_write(&parcel->writer, HANDOVER_OLDER, &record, sizeof(record), 1);
	}
}

static void put_seeds(struct parcel *parcel, const struct children *children)
{
	struct handover_seed record;

	for (const struct ticket_seeds *seeds = children->tickets; seeds != NULL; seeds = seeds->next)
		for (size_t i = 0; i < seeds->n; i++) {
			record = (struct handover_seed){ .rotation_s = seeds->rotation_s,
							 .lifetime_ms = seeds->lifetime_ms,
							 .since_ms = seeds->list[i].since_ms };
			memcpy(record.bytes, seeds->list[i].bytes, sizeof(record.bytes));
			handover_write(&parcel->writer, HANDOVER_SEEDS, &record, sizeof(record), 1);
		}
	explicit_bzero(&record, sizeof(record));
	handover_write(&parcel->writer, HANDOVER_USER_KEY, children->user_key, sizeof(children->user_key), 1);
}

void heritage_put_numbers(struct handover_writer *writer, const struct monitor *monitor)
{
	const struct handover_numbers numbers = {
		.generation = monitor->children.last,
		.last_session = monitor->admission.last,
		.watchdog_ms = monitor->notify.watchdog_ms,
		.started_s = monitor->counted_s,
		.ctl_version = CTL_VERSION,
	};

	handover_write(writer, HANDOVER_NUMBERS, &numbers, sizeof(numbers), 1);
}

static int send_parcel(const struct parcel *parcel, int link)
{
	size_t sent = 0;
	int r = 0;

	while (r == 0 && sent < parcel->nfds) {
		size_t left = parcel->nfds - sent;
		size_t n = left < HANDOVER_FDS_MAX ? left : HANDOVER_FDS_MAX;
		const struct handover_msg msg = {
			.type = n == left ? HANDOVER_STATE : HANDOVER_MORE,
			.number = parcel->nfds,
		};

		r = handover_send(link, &msg, parcel->fds + sent, n);
		sent += n;
	}
	return r == -EAGAIN ? -E2BIG : r;
}

int heritage_send(const struct monitor *monitor, int link)
{
	struct parcel *parcel = calloc(1, sizeof(*parcel));
	int state = -1;
	int r;

	if (parcel == NULL)
		return -ENOMEM;
	heritage_put_numbers(&parcel->writer, monitor);
	put_sockets(parcel, monitor);
	put_older(parcel, monitor);
	put_seeds(parcel, &monitor->children);
	r = state = handover_seal(&parcel->writer);
	if (parcel->error < 0)
		r = parcel->error;
	if (r >= 0) {
		parcel->fds[parcel->nfds++] = state;
		r = send_parcel(parcel, link);
	}
	if (state >= 0)
		fd_close(&state);
	free(parcel);
	return r;
}

/* --- the monitor that receives --- */

static void get_endpoint(const struct handover_socket *record, struct ip_endpoint *ret)
{
	*ret = (struct ip_endpoint){ .port = record->port };
	ret->addr.family = record->family == 4 ? IP_V4 : record->family == 6 ? IP_V6 : IP_NONE;
	memcpy(ret->addr.bytes, record->address, sizeof(ret->addr.bytes));
}

static void get_file(const struct handover_socket *record, int fd, struct ctl_socket *ret)
{
	*ret = (struct ctl_socket){ .fd = fd,
				    .activated = record->activated != 0,
				    .shared = true,
				    .dev = record->dev,
				    .ino = record->ino };
	memcpy(ret->path, record->path, sizeof(ret->path) - 1);
}

static void get_listener(struct listener_set *set, const struct handover_socket *record, int fd)
{
	struct ip_endpoint endpoint;
	char name[LISTENER_NAME_MAX];

	get_endpoint(record, &endpoint);
	memcpy(name, record->name, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	listener_set_adopt(set, name, &endpoint, fd, record->activated != 0);
}

static void get_activated(struct activated *set, const struct handover_socket *record, int fd)
{
	char name[sizeof(record->name)];

	memcpy(name, record->name, sizeof(name));
	name[sizeof(name) - 1] = '\0';
	activated_adopt(set, fd, name);
}

static bool get_shared_port(struct data_share *share, const struct handover_socket *record, int fd)
{
	struct ip_endpoint endpoint;

	get_endpoint(record, &endpoint);
	if (shared_ports_adopt(&share->ports, &endpoint, &fd) < 0)
		return false;
	share->ports.head->prev->inherited = true;
	share->has_older = true;
	return true;
}

static void get_http(struct http_listen *listen, const struct handover_socket *record, int fd)
{
	*listen = HTTP_LISTEN_NONE;
	listen->fd = fd;
	listen->activated = record->activated != 0;
	get_endpoint(record, &listen->endpoint);
	if (listen->endpoint.addr.family == IP_NONE)
		get_file(record, fd, &listen->sock);
}

/* Returns whether it has kept the descriptor. */
static bool get_socket(struct monitor *monitor, const struct handover_socket *record, int fd)
{
	switch (record->purpose) {
	case HANDOVER_FOR_LISTENER:
		get_listener(&monitor->listeners, record, fd);
		return true;
	case HANDOVER_FOR_ACTIVATED:
		get_activated(&monitor->activated, record, fd);
		return true;
	case HANDOVER_FOR_CONTROL:
		get_file(record, fd, &monitor->ctl_server.sock);
		monitor->ctl_server.listener.fd = fd;
		return true;
	case HANDOVER_FOR_HTTP:
		get_http(&monitor->http.sockets[HTTP_PAGES].listen, record, fd);
		return true;
	case HANDOVER_FOR_AGENT:
		get_http(&monitor->http.sockets[HTTP_AGENT].listen, record, fd);
		return true;
	case HANDOVER_FOR_CHARTS:
		return http_child_adopt_charts(&monitor->http, fd);
	case HANDOVER_FOR_SHARED_PORT:
		return get_shared_port(&monitor->share, record, fd);
	default:
		return false; /* HANDOVER_FOR_NOTIFY comes later; a newer attlsd may know more */
	}
}

static int get_sockets(struct monitor *monitor, const struct handover_reader *reader, int *fds, size_t nfds,
		       uint64_t watchdog_ms)
{
	size_t n = handover_count(reader, HANDOVER_SOCKETS);
	struct handover_socket *records = calloc(n + 1, sizeof(*records));

	activated_close(&monitor->activated); /* it is empty */
	if (records == NULL || listener_set_reserve(&monitor->listeners, n) < 0 ||
	    activated_reserve(&monitor->activated, n) < 0) {
		free(records);
		return -ENOMEM;
	}
	n = handover_read(reader, HANDOVER_SOCKETS, records, sizeof(*records), n);
	for (size_t i = 0; i < n; i++) {
		int *fd = records[i].descriptor < nfds ? &fds[records[i].descriptor] : NULL;

		if (fd == NULL || *fd == -1)
			continue;
		if (records[i].purpose == HANDOVER_FOR_NOTIFY)
			notify_adopt(&monitor->notify, &monitor->loop, &monitor->admission.nsessions,
				     &monitor->facts.generation, fd, watchdog_ms);
		else if (get_socket(monitor, &records[i], *fd))
			*fd = -1;
	}
	free(records);
	return 0;
}

static void get_older(struct monitor *monitor, const struct handover_reader *reader, int *fds, size_t nfds)
{
	struct handover_older records[OLDER_MAX];
	size_t n = handover_read(reader, HANDOVER_OLDER, records, sizeof(records[0]), OLDER_MAX);

	for (size_t i = 0; i < n; i++)
		if (records[i].descriptor < nfds && fds[records[i].descriptor] != -1)
			(void)older_add(&monitor->older, &fds[records[i].descriptor], &records[i]);
}

static int get_seeds(struct children *children, const struct handover_reader *reader)
{
	size_t n = handover_count(reader, HANDOVER_SEEDS);
	struct handover_seed *records = calloc(n + 1, sizeof(*records));
	int r = records == NULL ? -ENOMEM : 0;

	n = r < 0 ? 0 : handover_read(reader, HANDOVER_SEEDS, records, sizeof(*records), n);
	for (size_t i = 0; i < n && r != -ENOMEM; i++) {
		struct ticket_seed seed = { .since_ms = records[i].since_ms };

		memcpy(seed.bytes, records[i].bytes, sizeof(seed.bytes));
		/* if this attlsd keeps fewer, the oldest are lost */
		r = ticket_seeds_add(&children->tickets, records[i].rotation_s, records[i].lifetime_ms,
				     &seed);
		explicit_bzero(&seed, sizeof(seed));
	}
	if (records != NULL)
		explicit_bzero(records, n * sizeof(*records));
	free(records);
	(void)handover_read(reader, HANDOVER_USER_KEY, children->user_key, sizeof(children->user_key), 1);
	return r == -ENOMEM ? r : 0;
}

struct handover_numbers heritage_get_numbers(struct monitor *monitor, const struct handover_reader *reader)
{
	struct handover_numbers numbers = { 0 };

	(void)handover_read(reader, HANDOVER_NUMBERS, &numbers, sizeof(numbers), 1);
	if (numbers.last_session > monitor->admission.last) /* the clock has been set back */
		monitor->admission.last = numbers.last_session;
	return numbers;
}

static int receive_descriptors(int link, int *fds, size_t *ret_n)
{
	struct pollfd look = { .fd = link, .events = POLLIN };
	struct handover_msg msg = { .type = HANDOVER_MORE };
	size_t n = 0;

	while (msg.type == HANDOVER_MORE) {
		size_t more = n + HANDOVER_FDS_MAX <= DESCRIPTORS_MAX ? HANDOVER_FDS_MAX : 0;
		int r = poll(&look, 1, RECEIVE_MS) == 1 ? handover_receive(link, &msg, fds + n, &more)
							: -ETIMEDOUT;

		if (r <= 0)
			return r < 0 ? r : -EPIPE;
		n += more;
		*ret_n = n;
	}
	return msg.type == HANDOVER_STATE && n == msg.number && n > 0 ? 0 : -EPROTO;
}

int heritage_receive(struct monitor *monitor, int link)
{
	int fds[DESCRIPTORS_MAX];
	struct handover_reader reader = { .bytes = NULL };
	struct handover_numbers numbers;
	size_t n = 0;
	int r = receive_descriptors(link, fds, &n);

	if (r == 0)
		r = handover_open(fds[n - 1], &reader);
	if (r == 0) {
		numbers = heritage_get_numbers(monitor, &reader);
		monitor->children.last = numbers.generation;
		r = get_sockets(monitor, &reader, fds, n, numbers.watchdog_ms);
	}
	if (r == 0) {
		get_older(monitor, &reader, fds, n);
		r = get_seeds(&monitor->children, &reader);
	}
	handover_close(&reader);
	for (size_t i = 0; i < n; i++)
		fd_close(&fds[i]);
	return r;
}
