/*
 * Finds FTP servers of this host that other hosts reach without TLS: the
 * policy names a loopback address, but they listen on all addresses. Debian's vsftpd
 * does this with listen_ipv6=YES, because it then ignores listen_address. Or the policy
 * names another address of this host.
 */
#include "gateway/ctl/doctor-exposed.h"

#include <stdio.h>
#include <string.h>

#include "gateway/ctl/doctor-report.h"
#include "gateway/ctl/firewall.h"
#include "gateway/ctl/listening.h"
#include "gateway/ctl/routes.h"

/* What is looked for, and what was found. */
struct exposure {
	struct doctor *doctor;
	const struct policy_backend *backend;
	uint16_t port;
	bool found;
};

/* attlsd's own listener may have the port on all addresses. */
static bool is_own(const struct policy *policy, uint16_t port)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (policy->listeners[i].endpoint.port == port)
			return true;
	return false;
}

static bool take_exposed(const struct listening *socket, void *context)
{
	struct exposure *exposure = context;
	struct doctor *doctor = exposure->doctor;
	char at[IP_TEXT_MAX], name[LISTENING_NAME_MAX];

	if (socket->at.port != exposure->port || !ip_addr_is_any(&socket->at.addr))
		return true;
	if (is_own(doctor->policy, exposure->port)) {
		if (!listening_owner(socket->inode, name)) {
			exposure->found = true;
			doctor_look(doctor, "ss -ltnp sport = :%u, as root", exposure->port);
			doctor_cannot_tell(doctor,
					   "whether it is attlsd or the server of \"%s\" that listens on all "
					   "addresses",
					   exposure->backend->name);
			return false;
		}
		if (strncmp(name, "attlsd (", strlen("attlsd (")) == 0)
			return true;
	}
	exposure->found = true;
	(void)ip_endpoint_format(&socket->at, at);
	doctor_fix(doctor, "let the FTP server listen on the loopback address only (vsftpd: listen=YES, "
			   "listen_ipv6=NO, listen_address=127.0.0.1), then check with: ss -ltn");
	doctor_problem(doctor, "the server of \"%s\" listens on %s, so that other hosts reach it without TLS",
		       exposure->backend->name, at);
	return true;
}

static void look_at_loopback(struct doctor *doctor, const struct policy_backend *backend,
			     const struct policy_server *server)
{
	struct exposure exposure = { .doctor = doctor, .backend = backend, .port = server->endpoint.port };
	int r = listening_each(take_exposed, &exposure);

	if (r < 0) {
		doctor_look(doctor, "ss -ltn sport = :%u", exposure.port);
		doctor_cannot_tell(doctor, "whether the server of \"%s\" is open to other hosts: %s",
				   backend->name, strerror(-r));
	} else if (!exposure.found) {
		doctor_ok(doctor, "the server of \"%s\" does not listen on all addresses", backend->name);
	}
}

/* Other hosts can dial it there, unless the firewall stops them. */
static void look_at_own_address(struct doctor *doctor, const struct policy_backend *backend,
				const struct policy_server *server, const struct ip_addr *addr)
{
	const struct packet packet = { .family = addr->family,
				       .low = server->endpoint.port,
				       .high = server->endpoint.port };
	struct packet_walk walk = { .way = PACKET_UNSURE };
	char question[DOCTOR_TEXT_MAX / 2];

	(void)snprintf(question, sizeof(question),
		       "whether other hosts reach the server of \"%s\" at port %u, without TLS",
		       backend->name, server->endpoint.port);
	if (doctor->ruleset == NULL) {
		doctor_look(doctor, "run attlsctl doctor as root, or read: nft list ruleset");
		doctor_cannot_tell(doctor, "%s: cannot read the rules of the firewall", question);
		return;
	}
	walk = firewall_ask(doctor, &packet, addr, packet_hooks_input);
	if (walk.way == PACKET_SHUT) {
		doctor_ok(doctor, "the firewall keeps other hosts from the server of \"%s\"", backend->name);
	} else if (walk.way == PACKET_UNSURE) {
		firewall_cannot_tell(doctor, &walk, question);
	} else {
		doctor_fix(doctor,
			   "let the FTP server listen on 127.0.0.1 only, and correct the address in "
			   "backends: %s",
			   backend->name);
		doctor_problem(doctor, "other hosts reach the server of \"%s\" at port %u without TLS",
			       backend->name, server->endpoint.port);
	}
}

static void look_at(struct doctor *doctor, const struct policy_backend *backend,
		    const struct policy_server *server, const struct ip_addr *addr)
{
	if (ip_addr_is_loopback(addr))
		look_at_loopback(doctor, backend, server);
	else if (routes_mark_is_local(addr, 0) == 1)
		look_at_own_address(doctor, backend, server, addr);
}

static void look_at_server(struct doctor *doctor, const struct policy_backend *backend,
			   const struct policy_server *server)
{
	if (!backend->original && server->endpoint.addr.family != IP_NONE)
		look_at(doctor, backend, server, &server->endpoint.addr);
	/* of a name, the first address is the endpoint's */
	for (size_t k = 1; k < server->naddresses; k++)
		if (!ip_addr_is_loopback(&server->addresses[k]))
			look_at(doctor, backend, server, &server->addresses[k]);
}

void doctor_check_exposed(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nbackends; i++) {
		const struct policy_backend *backend = &doctor->policy->backends[i];

		for (size_t j = 0; j < backend->nservers; j++)
			look_at_server(doctor, backend, &backend->servers[j]);
	}
}
