/*
 * Can attlsd listen? The host must have each address, or let programs listen on
 * addresses that come later, and no other program may hold a port.
 */
#include "gateway/ctl/doctor-listeners.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/doctor-report.h"
#include "gateway/ctl/listening.h"
#include "gateway/ctl/routes.h"
#include "gateway/net/netsock.h"

/* May programs listen on addresses that this host does not have (yet)? */
static bool may_bind_elsewhere(enum ip_family family)
{
	const char *path =
	    family == IP_V6 ? "/proc/sys/net/ipv6/ip_nonlocal_bind" : "/proc/sys/net/ipv4/ip_nonlocal_bind";
	FILE *file = fopen(path, "re");
	int value = 0;

	if (file == NULL)
		return false;
	if (fscanf(file, "%d", &value) != 1)
		value = 0;
	(void)fclose(file);
	return value != 0;
}

static void check_address(struct doctor *doctor, const struct policy_listener *listener)
{
	const struct ip_addr *addr = &listener->endpoint.addr;
	char text[IP_TEXT_MAX];
	int local = routes_mark_is_local(addr, 0);

	(void)ip_addr_format(addr, text);
	if (local == 1) {
		doctor_ok(doctor, "listener %s: %s is an address of this host", listener->name, text);
	} else if (local < 0) {
		doctor_look(doctor, "ip address show to %s", text);
		doctor_cannot_tell(doctor, "listener %s: whether %s is an address of this host: %s",
				   listener->name, text, strerror(-local));
	} else if (listener->transparent || may_bind_elsewhere(addr->family)) {
		doctor_ok(doctor,
			  "listener %s: this host does not have the address %s now, "
			  "but attlsd may listen on it",
			  listener->name, text);
	} else {
		doctor_fix(doctor,
			   "ip address add %s dev INTERFACE # or, if the address moves from host to host: "
			   "sysctl -w net.ipv%d.ip_nonlocal_bind=1",
			   text, addr->family);
		doctor_problem(doctor, "listener %s: this host does not have the address %s", listener->name,
			       text);
	}
}

void doctor_check_addresses(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nlisteners; i++) {
		const struct policy_listener *listener = &doctor->policy->listeners[i];

		if (ip_addr_is_any(&listener->endpoint.addr))
			doctor_ok(doctor, "listener %s: every IPv%d address of this host", listener->name,
				  listener->endpoint.addr.family);
		else
			check_address(doctor, listener);
	}
}

/* The socket that keeps another from listening on an endpoint. */
struct conflict {
	const struct ip_endpoint *wanted;
	struct listening with; /* inode 0: none was found */
};

/* A socket for all IPv6 addresses takes IPv4 as well, unless it says otherwise. */
static bool take_conflict(const struct listening *socket, void *context)
{
	struct conflict *conflict = context;
	const struct ip_addr *have = &socket->at.addr, *want = &conflict->wanted->addr;

	if (socket->at.port == conflict->wanted->port &&
	    (ip_addr_equal(have, want) ||
	     (have->family == want->family && (ip_addr_is_any(have) || ip_addr_is_any(want))) ||
	     (have->family == IP_V6 && ip_addr_is_any(have))))
		conflict->with = *socket;
	return conflict->with.inode == 0;
}

/* attlsd, or the process that serves daemon.http and has its socket. */
static bool is_own(const char *name)
{
	return strncmp(name, "attlsd (", strlen("attlsd (")) == 0 ||
	       strncmp(name, "attlsd-http (", strlen("attlsd-http (")) == 0;
}

/* systemd listens for a service that it starts later. */
static void report_activated(struct doctor *doctor, const struct doctor_port *port,
			     const struct listening *held, const char *name)
{
	char at[IP_TEXT_MAX], wanted[IP_TEXT_MAX];

	(void)ip_endpoint_format(&held->at, at);
	(void)ip_endpoint_format(&port->endpoint, wanted);
	if (ip_endpoint_equal(&held->at, &port->endpoint)) {
		doctor_look(doctor, "systemctl list-sockets");
		doctor_cannot_tell(doctor,
				   "%s: %s listens on %s; attlsd takes this socket if it is one of "
				   "attlsd.socket",
				   port->name, name, at);
		return;
	}
	doctor_fix(doctor, "write ListenStream=%s and BindIPv6Only=ipv6-only into the socket unit", wanted);
	doctor_problem(doctor, "%s: %s listens on %s, so attlsd cannot listen on %s", port->name, name, at,
		       wanted);
}

/* tried: binding a socket has failed. Otherwise nobody says whether a socket for IPv6 takes IPv4, too. */
static void report_holder(struct doctor *doctor, const struct doctor_port *port, const struct listening *held,
			  bool tried)
{
	char name[LISTENING_NAME_MAX], at[IP_TEXT_MAX];
	bool sure = tried || held->at.addr.family == port->endpoint.addr.family;

	(void)ip_endpoint_format(&held->at, at);
	if (held->inode == 0 || !sure || !listening_owner(held->inode, name)) {
		doctor_look(doctor, "ss -ltnp sport = :%u, as root", port->endpoint.port);
		doctor_cannot_tell(doctor,
				   "%s: whether it is attlsd that listens on port %u, or another program",
				   port->name, port->endpoint.port);
	} else if (is_own(name)) {
		doctor_ok(doctor, "%s: %s listens on %s", port->name, name, at);
	} else if (strncmp(name, "systemd (", strlen("systemd (")) == 0) {
		report_activated(doctor, port, held, name);
	} else {
		doctor_fix(doctor, "stop %s, let it listen elsewhere, or change the address of %s in %s",
			   name, port->place, doctor->path);
		doctor_problem(doctor, "%s: %s listens on %s, so attlsd cannot", port->name, name, at);
	}
}

bool doctor_check_port(struct doctor *doctor, const struct doctor_port *port)
{
	struct conflict conflict = { .wanted = &port->endpoint };
	int fd = netsock_bind(&port->endpoint); /* as attlsd does, but without listening */
	bool has_address = fd != -EADDRNOTAVAIL;
	int r = listening_each(take_conflict, &conflict);

	if (fd == -EADDRINUSE || (fd == -EACCES && r == 0 && conflict.with.inode != 0)) {
		report_holder(doctor, port, &conflict.with, fd == -EADDRINUSE);
	} else if (fd >= 0 || (fd == -EACCES && r == 0)) {
		doctor_ok(doctor, "%s: no other program listens on port %u", port->name, port->endpoint.port);
	} else if (has_address) {
		doctor_look(doctor, "ss -ltnp sport = :%u", port->endpoint.port);
		doctor_cannot_tell(doctor, "%s: whether another program listens on port %u: %s", port->name,
				   port->endpoint.port, strerror(r < 0 ? -r : -fd));
	}
	if (fd >= 0)
		fd_close(&fd);
	return has_address;
}

static void check_listener(struct doctor *doctor, const struct policy_listener *listener)
{
	char name[DOCTOR_TEXT_MAX / 4], place[DOCTOR_TEXT_MAX / 4];
	const struct doctor_port port = { .name = name, .place = place, .endpoint = listener->endpoint };

	(void)snprintf(name, sizeof(name), "listener %s", listener->name);
	(void)snprintf(place, sizeof(place), "listeners: %s", listener->name);
	if (port.endpoint.port != 0)
		(void)doctor_check_port(doctor, &port); /* the check of addresses says if there is none */
}

void doctor_check_listeners(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nlisteners; i++)
		check_listener(doctor, &doctor->policy->listeners[i]);
}
