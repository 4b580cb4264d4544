/*
 * Keeps what a service manager has passed, and finds the socket for an address of the policy.
 * Whoever takes a socket gets a copy, so that a reload can leave it and another one can come
 * back to it: the service manager holds the address all the time, and binding it would fail.
 */
#include "gateway/monitor/activated.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/net/netsock.h"

_Static_assert(ACTIVATED_PATH_MAX >= sizeof(((struct sockaddr_un *)0)->sun_path), "a path fits");

static int option_of(int fd, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == -1 ? -1 : value;
}

static void examine_unix(struct activated_socket *item)
{
	struct sockaddr_un address = { .sun_family = AF_UNSPEC };
	socklen_t len = sizeof(address);

	if (getsockname(item->fd, (struct sockaddr *)&address, &len) == 0 && address.sun_path[0] == '/')
		memcpy(item->path, address.sun_path, sizeof(address.sun_path));
	item->path[sizeof(item->path) - 1] = '\0';
	if (item->path[0] != '\0')
		return;
	item->unfit = "it has no path in the file system";
	item->fix = "ListenSequentialPacket= with the path of control_socket, or ListenStream= with that of "
		    "daemon.http";
}

static void examine(struct activated_socket *item)
{
	int family = option_of(item->fd, SO_DOMAIN);

	item->type = option_of(item->fd, SO_TYPE);
	if (family == -1) {
		item->unfit = "it is not a socket";
		item->fix = "only ListenStream= and ListenSequentialPacket= in the unit";
	} else if (item->type != SOCK_STREAM && item->type != SOCK_SEQPACKET) {
		item->unfit = "it takes no connections";
		item->fix = "ListenStream= instead of ListenDatagram= in the unit";
	} else if (option_of(item->fd, SO_ACCEPTCONN) != 1) {
		item->unfit = "it does not listen; it may be a connection";
		item->fix = "Accept=no in the unit";
	} else if (family == AF_UNIX) {
		examine_unix(item);
	} else if ((family != AF_INET && family != AF_INET6) || item->type != SOCK_STREAM ||
		   option_of(item->fd, SO_PROTOCOL) != IPPROTO_TCP ||
		   netsock_local(item->fd, &item->endpoint) < 0) {
		item->unfit = "it is not for TCP";
		item->fix = "ListenStream= with an address and a port";
	}
}

/* Connections spread over sockets of one address, and would wait at those that nobody accepts from. */
static void compare(const struct activated *set, struct activated_socket *item)
{
	for (size_t i = 0; i < set->n && item->unfit == NULL && item->path[0] == '\0'; i++) {
		if (!ip_endpoint_equal(&set->items[i].endpoint, &item->endpoint))
			continue;
		item->unfit =
		    "another socket has the same address, so half of all clients would wait for ever";
		item->fix = "one ListenStream= for each address";
	}
}

int activated_reserve(struct activated *set, size_t n)
{
	*set = (struct activated){ .items = calloc(n + 1, sizeof(*set->items)) };
	return set->items == NULL ? -ENOMEM : 0;
}

void activated_adopt(struct activated *set, int fd, const char *name)
{
	struct activated_socket *item = &set->items[set->n];

	*item = (struct activated_socket){ .fd = fd };
	(void)snprintf(item->name, sizeof(item->name), "%s", name);
	examine(item);
	compare(set, item);
	set->n++;
}

int activated_open(struct activated *set, const struct inherited *inherited)
{
	int r = activated_reserve(set, inherited->nsockets);

	for (size_t i = 0; r == 0 && i < inherited->nsockets; i++)
		activated_adopt(set, STDERR_FILENO + 1 + (int)i, inherited->names[i]);
	return r;
}

/* The service manager leaves the socket as it made it; the flag is shared, and does not matter to poll(2). */
static int copy_of(const struct activated_socket *item)
{
	int flags = fcntl(item->fd, F_GETFL);
	int fd;

	if (flags == -1 || fcntl(item->fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return -errno;
	fd = fcntl(item->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	return fd == -1 ? -errno : fd;
}

static bool takes_both(const struct activated_socket *item)
{
	return item->endpoint.addr.family == IP_V6 && ip_addr_is_any(&item->endpoint.addr) &&
	       netsock_takes_ipv4(item->fd);
}

int activated_take(const struct activated *set, const struct ip_endpoint *endpoint, bool transparent,
		   char ret_reason[static ACTIVATED_REASON_MAX])
{
	const struct activated_socket *item = set->items;
	const struct activated_socket *end = item + set->n;
	int r;

	while (item < end && (item->unfit != NULL || !ip_endpoint_equal(&item->endpoint, endpoint)))
		item++;
	if (item == end)
		return -ENOENT;
	if (takes_both(item)) {
		(void)snprintf(
		    ret_reason, ACTIVATED_REASON_MAX,
		    "the service manager's socket for it takes IPv4, too; add "
		    "BindIPv6Only=ipv6-only to the unit, and a ListenStream= for each IPv4 address");
		return -EADDRINUSE;
	}
	r = netsock_set_transparent(item->fd, endpoint->addr.family, transparent);
	if (r < 0) {
		(void)snprintf(
		    ret_reason, ACTIVATED_REASON_MAX,
		    "the service manager's socket for it is not transparent; add Transparent=yes to "
		    "the unit, and CapabilityBoundingSet=CAP_NET_ADMIN to the service");
		return r;
	}
	r = copy_of(item);
	if (r < 0)
		(void)snprintf(ret_reason, ACTIVATED_REASON_MAX, "%s", strerror(-r));
	return r;
}

/* Between the start of the unit and that of attlsd, whoever may connect could leave orders and questions. */
static int check_file(const char *path, const unsigned *gid, char reason[static ACTIVATED_REASON_MAX])
{
	struct stat st;

	if (lstat(path, &st) == -1) {
		int r = -errno;

		(void)snprintf(reason, ACTIVATED_REASON_MAX,
			       "the service manager's socket has lost its file: %s; restart its unit",
			       strerror(-r));
		return r;
	}
	if (S_ISSOCK(st.st_mode) && (st.st_uid == 0 || st.st_uid == geteuid()) &&
	    (st.st_mode & (gid != NULL && st.st_gid == *gid ? 0007 : 0077)) == 0)
		return 0;
	(void)snprintf(reason, ACTIVATED_REASON_MAX,
		       "others may connect to the service manager's socket; add SocketMode=0600 to its unit");
	return -EPERM;
}

int activated_take_path(const struct activated *set, const char *path, int type, const unsigned *gid,
			char ret_reason[static ACTIVATED_REASON_MAX])
{
	int r;

	for (size_t i = 0; i < set->n; i++) {
		const struct activated_socket *item = &set->items[i];

		if (item->unfit != NULL || strcmp(item->path, path) != 0)
			continue;
		if (item->type != type) {
			(void)snprintf(ret_reason, ACTIVATED_REASON_MAX,
				       "the service manager's socket has another type; %s instead",
				       type == SOCK_STREAM ? "ListenStream=" : "ListenSequentialPacket=");
			return -EPROTOTYPE;
		}
		r = check_file(path, gid, ret_reason);
		if (r == 0) {
			r = copy_of(item);
			if (r < 0)
				(void)snprintf(ret_reason, ACTIVATED_REASON_MAX, "%s", strerror(-r));
		}
		return r;
	}
	return -ENOENT;
}

bool activated_explain(const struct activated *set, const struct ip_endpoint *endpoint,
		       char ret_reason[static ACTIVATED_REASON_MAX])
{
	char have[IP_TEXT_MAX], want[IP_TEXT_MAX];

	for (size_t i = 0; i < set->n; i++) {
		const struct activated_socket *item = &set->items[i];
		bool both = takes_both(item);

		if (item->endpoint.port != endpoint->port || item->endpoint.addr.family == IP_NONE ||
		    (item->endpoint.addr.family != endpoint->addr.family && !both))
			continue;
		(void)snprintf(ret_reason, ACTIVATED_REASON_MAX,
			       "the service manager listens on %s, and has passed that%s; write "
			       "ListenStream=%s%s into its unit",
			       ip_endpoint_format(&item->endpoint, have),
			       both ? ", which takes IPv4, too" : "", ip_endpoint_format(endpoint, want),
			       both ? " and BindIPv6Only=ipv6-only" : "");
		return true;
	}
	return false;
}

static bool is_path(const char *path, const char *other)
{
	return path != NULL && other[0] != '\0' && strcmp(path, other) == 0;
}

static bool is_wanted(const struct activated_socket *item, const struct policy *policy)
{
	const struct policy_daemon *daemon = &policy->daemon;

	if (is_path(daemon->control_socket, item->path) || is_path(daemon->http.path, item->path))
		return true;
	if (item->endpoint.addr.family == IP_NONE)
		return false;
	if (ip_endpoint_equal(&daemon->http.endpoint, &item->endpoint) ||
	    ip_endpoint_equal(&daemon->agent.endpoint, &item->endpoint))
		return true;
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (ip_endpoint_equal(&policy->listeners[i].endpoint, &item->endpoint))
			return true;
	return false;
}

/* The listener that the operator may have meant. */
static const struct policy_listener *near(const struct activated_socket *item, const struct policy *policy)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy->listeners[i].endpoint.port == item->endpoint.port && item->endpoint.port != 0)
			return &policy->listeners[i];
	return NULL;
}

static void report(const struct activated_socket *item, const struct policy *policy)
{
	const struct policy_listener *meant = item->unfit == NULL ? near(item, policy) : NULL;
	char at[IP_TEXT_MAX] = "unknown", other[IP_TEXT_MAX], reason[160], fix[160];

	if (item->endpoint.addr.family != IP_NONE)
		(void)ip_endpoint_format(&item->endpoint, at);
	(void)snprintf(reason, sizeof(reason), "%s",
		       item->unfit != NULL     ? item->unfit
		       : item->path[0] != '\0' ? "neither control_socket nor daemon.http is there"
					       : "no listener has this address");
	(void)snprintf(fix, sizeof(fix), "%s",
		       item->fix != NULL ? item->fix
					 : "add a listener, or remove the address from the socket unit");
	if (meant != NULL) {
		(void)ip_endpoint_format(&meant->endpoint, other);
		(void)snprintf(reason, sizeof(reason), "no listener has this address; \"%.33s\" has %s",
			       meant->name, other);
		(void)snprintf(fix, sizeof(fix), "ListenStream=%s in the socket unit", other);
	}
	log_event(
	    LOG_LEVEL_WARNING, "socket-unused", LOG_TEXT("address", item->path[0] != '\0' ? item->path : at),
	    LOG_NUMBER("descriptor", item->fd), LOG_TEXT(item->name[0] != '\0' ? "name" : "", item->name),
	    LOG_TEXT("reason", reason), LOG_TEXT("fix", fix));
}

void activated_report(const struct activated *set, const struct policy *policy)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->items[i].unfit != NULL || !is_wanted(&set->items[i], policy))
			report(&set->items[i], policy);
}

void activated_close(struct activated *set)
{
	for (size_t i = 0; i < set->n; i++)
		fd_close(&set->items[i].fd);
	free(set->items);
	*set = (struct activated){ .items = NULL };
}
