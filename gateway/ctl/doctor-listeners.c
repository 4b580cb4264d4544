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

/* systemd listens for a service that it starts later. */
static void report_activated(struct doctor *doctor, const struct policy_listener *listener,
			     const struct listening *held, const char *name)
{
	char at[IP_TEXT_MAX], wanted[IP_TEXT_MAX];

	(void)ip_endpoint_format(&held->at, at);
	(void)ip_endpoint_format(&listener->endpoint, wanted);
	if (ip_endpoint_equal(&held->at, &listener->endpoint)) {
		doctor_look(doctor, "systemctl list-sockets");
		doctor_cannot_tell(doctor,
				   "listener %s: %s listens on %s; attlsd takes this socket if it is one of "
				   "attlsd.socket",
				   listener->name, name, at);
		return;
	}
	doctor_fix(doctor, "write ListenStream=%s and BindIPv6Only=ipv6-only into the socket unit", wanted);
	doctor_problem(doctor, "listener %s: %s listens on %s, so attlsd cannot listen on %s", listener->name,
		       name, at, wanted);
}

/* tried: binding a socket has failed. Otherwise nobody says whether a socket for IPv6 takes IPv4, too. */
static void report_holder(struct doctor *doctor, const struct policy_listener *listener,
			  const struct listening *held, bool tried)
{
	uint16_t port = listener->endpoint.port;
	char name[LISTENING_NAME_MAX], at[IP_TEXT_MAX];
	bool sure = tried || held->at.addr.family == listener->endpoint.addr.family;

	(void)ip_endpoint_format(&held->at, at);
	if (held->inode == 0 || !sure || !listening_owner(held->inode, name)) {
		doctor_look(doctor, "ss -ltnp sport = :%u, as root", port);
		doctor_cannot_tell(
		    doctor, "listener %s: whether it is attlsd that listens on port %u, or another program",
		    listener->name, port);
	} else if (strncmp(name, "attlsd (", strlen("attlsd (")) == 0) {
		doctor_ok(doctor, "listener %s: %s listens on %s", listener->name, name, at);
	} else if (strncmp(name, "systemd (", strlen("systemd (")) == 0) {
		report_activated(doctor, listener, held, name);
	} else {
		doctor_fix(doctor,
			   "stop %s, let it listen elsewhere, or change the address of listeners: %s in %s",
			   name, listener->name, doctor->path);
		doctor_problem(doctor, "listener %s: %s listens on %s, so attlsd cannot", listener->name,
			       name, at);
	}
}

static void check_port(struct doctor *doctor, const struct policy_listener *listener)
{
	struct conflict conflict = { .wanted = &listener->endpoint };
	int fd = netsock_bind(&listener->endpoint); /* as attlsd does, but without listening */
	int r = listening_each(take_conflict, &conflict);

	if (fd == -EADDRINUSE || (fd == -EACCES && r == 0 && conflict.with.inode != 0)) {
		report_holder(doctor, listener, &conflict.with, fd == -EADDRINUSE);
	} else if (fd >= 0 || (fd == -EACCES && r == 0)) {
		doctor_ok(doctor, "listener %s: no other program listens on port %u", listener->name,
			  listener->endpoint.port);
	} else if (fd != -EADDRNOTAVAIL) { /* the check of addresses has said so */
		doctor_look(doctor, "ss -ltnp sport = :%u", listener->endpoint.port);
		doctor_cannot_tell(doctor, "listener %s: whether another program listens on port %u: %s",
				   listener->name, listener->endpoint.port, strerror(r < 0 ? -r : -fd));
	}
	if (fd >= 0)
		fd_close(&fd);
}

void doctor_check_listeners(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nlisteners; i++)
		if (doctor->policy->listeners[i].endpoint.port != 0)
			check_port(doctor, &doctor->policy->listeners[i]);
}
